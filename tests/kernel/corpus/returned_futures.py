# A flow that returns futures and a failed one among them fails as Prefect's own do.
# fails: Failed: 1/3 states failed.
# executor: threads
# executor: dask-local {"n_workers": 1}
# %%
from prefect import flow, task
@task
def same(n): return n
@task
def bad(): raise ValueError("no")
# %%
@flow
def main():
    good, failed = same.map([1, 2]), bad.submit()
    failed.wait()
    return [*good, failed]
