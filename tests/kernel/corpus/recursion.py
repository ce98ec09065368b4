# Recursion of flows and of functions, and data inside themselves.
# gives: (True, True, 120)
# %%
from prefect import flow
def even(n): return True if n == 0 else odd(n - 1)
def odd(n): return False if n == 0 else even(n - 1)
fact = lambda n: 1 if n < 2 else n * fact(n - 1)
loop = {"me": None}
loop["me"] = loop
# %%
@flow
def main(depth: int = 3):
    return main(depth - 1) if depth else (even(10), loop["me"] is loop, fact(5))
