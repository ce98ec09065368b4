# Models that refer to each other and to themselves, a union told apart by a field, generics.
# gives: (3, 'Cat', 'Page[Item]', 2, 6.0, True)
# runs with: {"tree": {"n": 1, "children": [{"n": 2}]}, "pet": {"kind": "cat", "lives": 9}, "page": {"items": [{"id": 1}, {"id": 2}]}, "circle": {"r": 2}}
# %%
from __future__ import annotations
from typing import Annotated, Generic, Literal, Optional, TypeVar, Union
from pydantic import BaseModel, Field
from pydantic.dataclasses import dataclass
from prefect import flow
T = TypeVar("T")
class Tree(BaseModel):
    n: int
    children: list[Tree] = []
    parent: Optional[Owner] = None
    def total(self) -> int: return self.n + sum(child.total() for child in self.children)
class Owner(BaseModel):
    trees: list[Tree]
Tree.model_rebuild()
# %%
class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int
class Dog(BaseModel):
    kind: Literal["dog"]
Pet = Annotated[Union[Cat, Dog], Field(discriminator="kind")]
class Item(BaseModel):
    id: int
class Page(BaseModel, Generic[T]):
    items: list[T]
@dataclass
class Circle:
    r: float = Field(gt=0)
# %%
@flow
def main(tree: Tree, pet: Pet, page: Page[Item], circle: Circle):
    return tree.total(), type(pet).__name__, type(page).__name__, len(page.items), circle.r * 3, isinstance(page.items[0], Item)
