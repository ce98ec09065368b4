# Concurrency limits, tags, time limits, conditions of retries, caching by source and inputs.
# gives: ([0, 1, 2, 3], ['TaskRunTimeoutError', 'TimedOut', 'TimedOut'], (2, ['Later', 'Later']), (2, 2, ['counted'], 3, 'Conf'))
# executor: threads
# executor: dask-local {"n_workers": 1}
# %%
import pathlib, tempfile, time
from prefect import flow, task
from prefect.cache_policies import INPUTS, TASK_SOURCE
from prefect.concurrency.sync import concurrency
class Later(Exception): pass
class Conf:
    def __init__(self, n): self.n = n
# %%
@task(tags=["database"])
def limited(n):
    with concurrency("a limit that is not there", occupy=1): return n
@task(timeout_seconds=0.5)
def slow():
    for _ in range(50): time.sleep(0.1)
@flow(timeout_seconds=0.5)
def slow_flow():
    for _ in range(50): time.sleep(0.1)
def is_later(task, run, state):
    try: state.result()
    except Later: return True
    except Exception: return False
@task(retries=2, retry_condition_fn=is_later, retry_delay_seconds=0.1)
def flaky(file):
    tries = file.read_text().split() if file.exists() else []
    file.write_text(" ".join([*tries, "Later"]))
    if len(tries) < 2: raise Later(len(tries))
    return len(tries), tries
@task(cache_policy=INPUTS + TASK_SOURCE, persist_result=True)
def counted(n, file):
    file.write_text((file.read_text() if file.exists() else "") + "counted ")
    return n + 1
@task(cache_policy=INPUTS + TASK_SOURCE, persist_result=True)
def computed(conf, n): return Conf(conf.n + n)
# %%
@flow
def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    late = slow.submit()
    late.wait()
    try: slow()
    except Exception as error: called = type(error).__name__
    timeouts = [called, late.state.name, slow_flow(return_state=True).name]
    counts = counted(1, folder / "counted"), counted.submit(1, folder / "counted").result()
    computed(Conf(1), 2)
    again = computed.submit(Conf(1), 2).result()
    assert isinstance(again, Conf)
    cached = *counts, (folder / "counted").read_text().split(), again.n, type(again).__name__
    return limited.map(range(4)).result(), timeouts, flaky.submit(folder / "flaky").result(), cached
