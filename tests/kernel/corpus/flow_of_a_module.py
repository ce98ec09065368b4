# The registered flow itself comes from a local module.
# gives: 9
# %%
%%writefile steps.py
from prefect import flow, task
from dataclasses import dataclass
@dataclass
class Params:
    n: int = 3
@task
def square(p): return p.n ** 2
@flow
def main(params: Params = Params()): return square(params)
# %%
from steps import main
