# What tasks can be mapped over, what they wait for, static arguments and defaults.
# gives: ([[6, 7], [], [4, 6], [11], [10, 11, 12], [2, 4], [3]], [[11, 12], [10, 11], [11], 'int MappingMissingIterable'], True, True)
# executor: threads
# executor: dask-local {"n_workers": 1}
# %%
import time
import pandas as pd
from prefect import flow, task, unmapped
@task
def add(x, y=10, table=None): return x + y
@task
def wait(seconds):
    time.sleep(seconds)
    return time.time()
@task
def now(): return time.time()
def refusal(values):
    try: return add.map(values).result()
    except Exception as error: return f"{type(values).__name__} {type(error).__name__}"
# %%
@flow
def main():
    first = add.map([1, 2], 0)
    mapped = [add.map([1, 2], unmapped(5)), add.map([]), add.map(x=[1, 2], y=[3, 4]),
              add.map([1], table=unmapped(pd.DataFrame({"a": [1]}))), add.map(range(3)), add.map(first, first),
              add.map([1], y=2)]
    slow = wait.map([0.1, 0.6])
    after = now.submit(wait_for=slow).result() >= max(slow.result())
    nested = now.submit(wait_for=[slow, wait.submit(0.1)]).result() >= max(slow.result())
    refused = [refusal(each) for each in ({1, 2}, (n for n in range(2)), {"a": 1}.values(), 3)]
    return [each.result() for each in mapped], refused, after, nested
