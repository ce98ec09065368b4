# A flow from a factory, with what it closes over.
# gives: 106
# %%
from prefect import flow
def make(step):
    total = 5
    @flow
    def main(n: int = 1): return n + step + total
    return main
# %%
main = make(100)
