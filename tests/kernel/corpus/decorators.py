# Decorators: functools.wraps, with arguments, as classes, stacked, around tasks, flows and methods.
# gives: (8, 'tagged', 18, ['called add', 'called add'], 'add', 9, 25)
# %%
import functools
from typing import Callable, ParamSpec, TypeVar
from prefect import flow, task
P = ParamSpec("P")
R = TypeVar("R")
calls = []
def twice(fn: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(fn)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        return fn(*args, **kwargs) * 2
    return inner
def tagged(tag, *, times=1):
    def decorate(fn):
        @functools.wraps(fn)
        def inner(*args, **kwargs): return fn(*args, **kwargs) * times
        inner.tag = tag
        return inner
    return decorate
class Logged:
    def __init__(self, fn):
        functools.update_wrapper(self, fn)
        self.fn = fn
    def __call__(self, *args):
        calls.append(f"called {self.fn.__name__}")
        return self.fn(*args)
class Scaled:
    def __init__(self, by): self.by = by
    def __call__(self, fn):
        @functools.wraps(fn)
        def inner(*args): return fn(*args) * self.by
        return inner
# %%
@Logged
def add(a, b): return a + b
@task
@twice
@tagged("tagged", times=3)
def work(n): return add(n, 1)
@Scaled(3)
def three(n): return n
class Box:
    @twice
    def side(self): return 12.5
# %%
@flow
@twice
def main(n: int = 4):
    if n == 4: return tuple(_parts())
    return n
def _parts():
    yield add(3, 5)
    yield work.fn.__wrapped__.tag
    yield work(2)
    yield list(calls)
    yield add.__name__
    yield three(3)
    yield int(Box().side())
main = flow(functools.wraps(main.fn)(lambda n=4: tuple(_parts())))
