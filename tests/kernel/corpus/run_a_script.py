# Code that %run brought in, and code that %load put into a cell.
# gives: (12, 'ran', 20)
# %%
%%writefile script.py
from prefect import task
OFFSET = 5
@task
def load(x): return x + OFFSET
def helper(): return "ran" if __name__ == "__main__" else "imported"
kind = helper()
# %%
%%writefile loaded.py
def loaded(x): return x * TEN
TEN = 10
# %%
%run script.py
# %%
%load loaded.py
# %%
from prefect import flow
@flow
def main(): return load(7), kind, loaded(2)
