# lru_cache, cache, cached_property, NewType.
# gives: (6, 55, 0)
# %%
from functools import cache, cached_property, lru_cache
from typing import NewType
from prefect import flow
UserId = NewType("UserId", int)
@lru_cache(maxsize=10)
def slow(n): return n * 2
@cache
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
class Lazy:
    @cached_property
    def value(self): return fib(10)
    @lru_cache
    def other(self): return 1
lazy = Lazy()
slow(1)
# %%
@flow
def main(user: UserId = 3):
    before = slow.cache_info().currsize
    return slow(user), lazy.value, before
