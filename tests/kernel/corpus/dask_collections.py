# Large tables between tasks, Dask collections and Prefect's own client of the cluster inside of tasks.
# gives: (2.0, 1000000.0, 1000000.0, 10000.0, 7, 45, 8)
# executor: dask-local {"n_workers": 2}
# %%
import dask.array as da
import dask.bag as db
import numpy as np
import pandas as pd
from prefect import flow, task
from prefect_dask import get_dask_client
FRAME = pd.DataFrame({"a": [0.5, 1.5]})
# %%
@task
def make(rows): return pd.DataFrame(np.ones((rows, 10)), columns=list("abcdefghij"))
@task
def total(table): return float(table.sum().sum())
@task
def array(): return float(da.ones((100, 100), chunks=50).sum().compute())
@task
def client():
    with get_dask_client() as client: return client.submit(lambda: 7).result()
@task
def bag(): return db.from_sequence(range(10)).sum().compute()
# %%
@flow(validate_parameters=False)
def main(table: pd.DataFrame = FRAME):
    made = make.submit(100_000)
    totals = total.submit(made).result(), total.submit(made.result()).result()
    in_tasks = array.submit().result(), client.submit().result(), bag.submit().result()
    with get_dask_client() as connected: return float(table.a.sum()), *totals, *in_tasks, connected.submit(lambda: 8).result()
