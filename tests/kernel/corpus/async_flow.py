# An async flow with async tasks, helpers, comprehensions and context managers.
# gives: (3, [0, 2, 4], ['in', 'out'])
# %%
import asyncio
import contextlib
from prefect import flow, task
seen = []
@contextlib.asynccontextmanager
async def room():
    seen.append("in")
    yield
    seen.append("out")
async def count(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i
@task
async def wait(x):
    await asyncio.sleep(0)
    return x
# %%
@flow
async def main():
    async with room():
        doubled = [2 * i async for i in count(3)]
    return sum(await asyncio.gather(wait(1), wait(2))), doubled, seen
