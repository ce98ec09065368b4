# Arrays, views, object arrays, scalars, random generators, structured types, functions of numpy.
# gives: (['x', None], [[0, 2], [3, 5]], 3.0, 2, [1, 3], True)
# %%
import numpy as np
from numpy import linalg
from prefect import flow, task
names = np.array(["x", None], dtype=object)
grid = np.arange(6).reshape(2, 3)[:, ::2]
scalar, rng = np.float64(3), np.random.default_rng(1)
rows = np.array([(1, 2.0), (3, 4.0)], dtype=[("a", "i4"), ("b", "f8")])
vectorised = np.vectorize(lambda x: x + 1)
# %%
@task
def norm(x): return linalg.norm(x)
@flow
def main():
    drawn = 0 <= rng.random() < 1
    return names.tolist(), grid.tolist(), float(scalar), int(vectorised(1)), rows["a"].tolist(), bool(drawn and norm(grid) > 6)
