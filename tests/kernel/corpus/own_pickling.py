# Objects that say themselves how to be pickled, and types registered with copyreg.
# gives: ([1, 2, 'lock'], 'reduced 3', 'registered 4', {'a': 1}, 7)
# %%
import copyreg, threading
from prefect import flow
class Pool:
    def __init__(self, items): self.items, self.lock = items, threading.Lock()
    def __getstate__(self): return {"items": self.items}
    def __setstate__(self, state): self.__init__(state["items"])
    def all(self): return [*self.items, type(self.lock).__name__]
class Reduced:
    def __init__(self, n): self.n = n
    def __reduce__(self): return rebuild, (self.n,)
def rebuild(n): return Reduced(n)
class Other:
    def __init__(self, n): self.n = n
copyreg.pickle(Other, lambda other: (Other, (other.n,)))
class Bag(dict):
    def __getattr__(self, name): return self[name]
class New:
    def __new__(cls, n):
        made = super().__new__(cls)
        made.n = n
        return made
    def __getnewargs__(self): return (self.n,)
pool, reduced, other, bag, new = Pool([1, 2]), Reduced(3), Other(4), Bag(a=1), New(7)
# %%
@flow
def main(): return pool.all(), f"reduced {reduced.n}", f"registered {other.n}", {"a": bag.a}, new.n
