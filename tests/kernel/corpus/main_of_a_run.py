# Pickle and multiprocessing look for functions and classes of the notebook in `__main__`: here, in processes, on Dask workers.
# gives: (1, (([1, 4], [True, True], 404), True), (True, True), ('500: missing', 500))
# executor: threads
# executor: processes {"max_workers": 1}
# executor: dask-local {"n_workers": 1}
# %%
import multiprocessing, os, pickle
from concurrent.futures import ProcessPoolExecutor
from prefect import flow, task
class Point:
    def __init__(self, x): self.x = x
def square(x): return x * x
def point(x): return Point(x)
class ApiError(Exception):
    def __init__(self, status, text, *, retry=False):
        super().__init__(f"{status}: {text}")
        self.status = status
def fails(x): raise ApiError(x, "missing")
# %%
with open("points.pkl", "wb") as file: pickle.dump([Point(3)], file)
saved = os.path.abspath("points.pkl")
with open(saved, "rb") as file: content = file.read()
# %%
def in_pool(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        points = pool.map_async(point, [1, 2]).get(300)
        try: pool.map_async(fails, [404]).get(300)
        except ApiError as error: caught = error.status
        return pool.map_async(square, [1, 2]).get(300), [type(each) is Point for each in points], caught
def in_executor(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as executor:
        return type(executor.submit(point, 1).result(300)) is Point
@task
def work(method): return in_pool(method), in_executor(method)
@task
def copied():
    again = pickle.loads(pickle.dumps(Point(1)))
    return type(again) is Point, type(pickle.loads(content)[0]) is Point
@task
def raises(): fails(500)
@flow
def main():
    done = [work.submit(each).result() for each in ("fork", "forkserver", "spawn")]
    try: raises.submit().result()
    except ApiError as error: caught = (str(error), error.status)
    return len({repr(each) for each in done}), done[0], copied.submit().result(), caught
