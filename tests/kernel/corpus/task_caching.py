# Tasks with a cache key of the notebook's own, a storage key, persisted results.
# gives: (['work'], 'Cached', 10, 'Cached')
# %%
from prefect import flow, task
from prefect.cache_policies import INPUTS
calls, salt = [], "corpus"
class Size:
    def __init__(self, n): self.n = n
def key(context, parameters): return f"{salt}-{parameters['n']}"
@task(cache_key_fn=key, persist_result=True, result_storage_key=salt + "-{parameters[n]}")
def work(n):
    calls.append("work")
    return Size(n * 10)
@task(cache_policy=INPUTS + INPUTS.configure(key_storage=None) if False else INPUTS, persist_result=True)
def plus(n, salt): return n + 1
# %%
@flow
def main():
    first, second = work(1), work(1, return_state=True)
    plus(1, salt)
    return calls, second.name, second.result().n, plus(1, salt, return_state=True).name
