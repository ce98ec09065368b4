# What a flow uses of other cells travels with it.
# gives: 20
# runs with: {"n": 2}
# %%
from prefect import flow, task
factor = 10
# %%
def scale(x): return x * factor
# %%
@task
def work(x): return scale(x)
# %%
@flow
def main(n: int): return work(n)
