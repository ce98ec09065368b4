# A flow alone.
# gives: 4
# %%
from prefect import flow
@flow
def main(n: int = 3): return n + 1
