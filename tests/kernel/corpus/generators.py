# Generator functions as tasks and as flows, sync and async.
# gives: ([0, 1, 2], [10, 11], ['a', 'b'], [5, 6])
# %%
from prefect import flow, task
@task
def numbers(n):
    for i in range(n): yield i
@task
async def later(n):
    for i in range(n): yield 10 + i
@flow
def letters():
    yield from "ab"
@flow
async def async_letters():
    yield 5
    yield 6
# %%
@flow
async def main():
    tens = [i async for i in later(2)]
    return list(numbers(3)), tens, list(letters()), [i async for i in async_letters()]
