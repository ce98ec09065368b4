# Positional-only, keyword-only, variable arguments, and defaults that are objects.
# gives: ((1, 2, (3, 4), 5, {'z': 6}), (1, 'two', (), 'five', {}), [Limit(7)])
# %%
from prefect import flow, task
class Limit:
    def __init__(self, n): self.n = n
    def __repr__(self): return f"Limit({self.n})"
# %%
@task
def take(a, /, b="two", *args, c="five", **more): return a, b, args, c, more
@task
def limited(limits=[Limit(7)]): return limits
# %%
@flow
def main(*, strict: bool = True): return take(1, 2, 3, 4, c=5, z=6), take(1), limited()
