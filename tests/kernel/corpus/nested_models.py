# Models, pydantic dataclasses and generics that are reached only through the outermost one.
# gives: [{'b': {'a': {'n': 1}}}, [{'n': 2}], {'items': [{'b': {'a': {'n': 3}}}]}, 'B', True]
# executor: dask-local {"n_workers": 1}
# %%
from typing import Annotated, Generic, Literal, TypeVar
from pydantic import BaseModel, Field, RootModel
from pydantic.dataclasses import dataclass
from prefect import flow, task
T = TypeVar("T")
class Later(BaseModel):
    inner: "Inner"
# %%
class A(BaseModel): n: int
@dataclass
class B: a: A
class C(BaseModel): b: B
class As(RootModel[list[A]]): pass
class Page(BaseModel, Generic[T]): items: list[T]
class Cat(BaseModel):
    kind: Literal["cat"]
    c: C
class Dog(BaseModel): kind: Literal["dog"]
class Pet(BaseModel): pet: Annotated[Cat | Dog, Field(discriminator="kind")]
class Inner(BaseModel): c: C
fixed = Page[C](items=[C(b=B(a=A(n=3)))])
# %%
@task
def read():
    nested = {"b": {"a": {"n": 1}}}
    pet = Pet.model_validate({"pet": {"kind": "cat", "c": nested}}).pet
    later = Later.model_validate({"inner": {"c": nested}}).inner.c
    return [C.model_validate(nested).model_dump(), As.model_validate([{"n": 2}]).model_dump(), fixed.model_dump(),
            type(later.b).__name__, pet.c == C.model_validate(nested)]
@flow
def main():
    mine, theirs = read(), read.submit().result()
    assert mine == theirs, (mine, theirs)
    return theirs
