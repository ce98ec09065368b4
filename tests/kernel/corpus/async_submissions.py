# An async flow that calls, submits and maps tasks of both kinds, and leaves one behind.
# gives: (1, 2, 3, [4, 5], [6, 7])
# executor: threads
# executor: dask-local {"n_workers": 1}
# %%
import asyncio
from prefect import flow, task
@task
def plain(n): return n
@task
async def later(n):
    await asyncio.sleep(0.1)
    return n
# %%
@flow
async def main():
    one, two = plain.submit(1), later.submit(2)
    three = await later(3)
    four = later.map([4, 5]).result()
    plain.submit(9)
    return one.result(), two.result(), three, four, await asyncio.gather(later(6), later(7))
