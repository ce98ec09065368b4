# A flow with a parameter that takes any name.
# gives: (1, {'x': 2, 'y': [3]})
# runs with: {"a": 1, "x": 2, "y": [3]}
# %%
from prefect import flow
@flow
def main(a: int, **rest): return a, rest
