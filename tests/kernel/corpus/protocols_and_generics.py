# Protocols, generics, forward references, classes that know each other.
# gives: ('Tree of Node[3]', True, False, 5)
# %%
from typing import Generic, Protocol, TypeVar, overload, runtime_checkable
from prefect import flow
T = TypeVar("T")
N = TypeVar("N", int, float)
@runtime_checkable
class Speaks(Protocol):
    def speak(self) -> str: ...
class Node(Generic[T]):
    def __init__(self, value: T): self.value, self.tree = value, None
    def speak(self): return Tree(self).name()
    def root(self) -> "Tree": return self.tree
class Tree:
    def __init__(self, root): self.root = root; root.tree = self
    def name(self): return f"{type(self).__name__} of {type(self.root).__name__}[{self.root.value}]"
class IntNode(Node[int]):
    def more(self) -> int: return self.value + 1
def talk(x: Speaks) -> str: return x.speak()
# %%
@flow
def main(): return talk(Node[int](3)), isinstance(Node(1), Speaks), isinstance(1, Speaks), IntNode(4).more()
