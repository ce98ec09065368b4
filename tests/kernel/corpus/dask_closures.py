# Closures, decorated functions, methods and generators on Dask workers.
# gives: ([11, 12], [4, 6], [6, 9], [[0], [0, 1]])
# executor: dask-local
# %%
import functools
from prefect import flow, task
def adder(n):
    def add(x): return x + n
    return add
def twice(fn):
    @functools.wraps(fn)
    def inner(*args): return 2 * fn(*args)
    return inner
class Model:
    def __init__(self, w): self.w = w
    def predict(self, x): return self.w * x
add = task(adder(10), name="add")
@task
@twice
def same(x): return x
predict = task(Model(3).predict)
@task
def count(n): return [i for i in numbers(n)]
def numbers(n): yield from range(n)
# %%
@flow
def main(): return add.map([1, 2]).result(), same.map([2, 3]).result(), predict.map([2, 3]).result(), count.map([1, 2]).result()
