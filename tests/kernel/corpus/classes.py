# Abstract classes, slots, properties, operators, class and static methods, super.
# gives: (42, 46, 7, 'set 3', 'Real of int', [1, 2], True)
# %%
import abc, functools
from prefect import flow
class Base(abc.ABC):
    @abc.abstractmethod
    def go(self): ...
    @property
    def twice(self): return 2 * self.go()
    @twice.setter
    def twice(self, value): self.said = f"set {value}"
@functools.total_ordering
class Real(Base):
    __slots__ = ("x", "said")
    def __init__(self, x): self.x = x
    def go(self): return self.x
    @staticmethod
    def make(): return Real(21)
    @classmethod
    def two(cls): return cls(2)
    def __add__(self, other): return Real(self.x + other.x)
    def __call__(self, n): return self.x + n
    def __class_getitem__(cls, item): return f"{cls.__name__} of {item.__name__}"
    def __iter__(self): return iter(range(1, self.x + 1))
    def __eq__(self, other): return self.x == other.x
    def __lt__(self, other): return self.x < other.x
    def up(self): return super().twice
thing = Real.make()
# %%
@flow
def main():
    two = Real.two()
    two.twice = 3
    return thing.twice, (thing + two).up(), two(5), two.said, Real[int], list(two), two < thing
