# Flows that call flows.
# gives: 3
# %%
from prefect import flow
@flow
def inner(x): return x + 1
@flow
def main(): return inner(inner(1))
