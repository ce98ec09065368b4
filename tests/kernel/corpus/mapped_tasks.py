# Mapped tasks, one of them over functions.
# gives: (14, [2, 1, 6])
# %%
from prefect import flow, task, unmapped
@task
def square(x): return x * x
@task
def call(fn, a, b): return fn(a, b)
# %%
@flow
def main():
    squares = square.map([1, 2, 3])
    called = call.map([lambda a, b: a * b, min, lambda a, b: (a + b) * 2], unmapped(1), unmapped(2))
    return sum(squares.result()), called.result()
