# Tasks, flows and hooks of a local module, with subflows of a package.
# gives: (12, 'told', 21)
# %%
!mkdir -p flows/parts
!touch flows/__init__.py flows/parts/__init__.py
# %%
%%writefile steps.py
from prefect import flow, task
OFFSET = 5
told = []
def tell(flow, run, state): told.append("told")
@task
def load(x): return x + OFFSET
@flow(on_completion=[tell])
def inner(x): return x * 2
# %%
%%writefile flows/parts/sub.py
from prefect import flow, task
from ..shared import factor
@task
def times(x): return x * factor()
@flow
def subflow(x): return times.submit(x).result()
# %%
%%writefile flows/shared.py
def factor(): return 7
# %%
from steps import inner, load, told
from flows.parts.sub import subflow
from prefect import flow
@flow
def main():
    first = inner(load(1))
    return first, told[0], subflow(3)
