# Lambdas, partials, operators, methods as values.
# gives: (6, 7, [1, 2], 'AB', 9, 8, ['a', 'b'])
# %%
import functools, operator
from prefect import flow, task
add = lambda a, b: a + b
add5 = functools.partial(add, 5)
inc = functools.partial(add5)
first = operator.itemgetter(0)
upper = operator.methodcaller("upper")
class Adder:
    def __init__(self, n): self.n = n
    def add(self, x): return self.n + x
    by3 = functools.partialmethod(add, 3)
bound = Adder(5).add
table = {"sq": lambda x: x * x, "keys": dict.keys}
cube = (lambda f: lambda x: f(f(x)))(lambda x: x * 2)
# %%
@task
def call(fn, *args): return fn(*args)
@flow
def main():
    return add5(1), call(bound, 2), [first(p) for p in [(1,), (2,)]], upper("ab"), table["sq"](3), call(cube, 2), list(table["keys"]({"a": 1, "b": 2}))
