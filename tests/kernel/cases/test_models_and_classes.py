"""Models and classes of a notebook keep their fields, bases and registrations in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.cases.packed_cells import expected, refused, returned_elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.kernel_process import Kernel

NESTED = """
from pydantic import BaseModel
class City(BaseModel):
    id: int
class Person(BaseModel):
    city: City
"""
PARSED = "Person.model_validate({'city': {'id': '1'}}).city.id"

TRAVELLING = {
    "only the outer model": (NESTED, PARSED, 1),
    "the inner model first": (NESTED, f"(City(id=3).id, {PARSED})", [3, 1]),
    "the outer model first": (NESTED, f"({PARSED}, City(id=3).id)", [1, 3]),
    "models in a tuple": (
        NESTED + "pair = (Person, City)",
        "(pair[0].model_validate({'city': {'id': 1}}).city.id, pair[1](id=3).id)",
        [1, 3],
    ),
    "an instance of nested models": (
        NESTED + "ann = Person(city=City(id=2))",
        "(ann.city.id, type(ann).model_validate({'city': {'id': 1}}).city.id)",
        [2, 1],
    ),
    "three levels and a list": (
        NESTED + "class Order(BaseModel):\n    people: list[Person]",
        "str(Order.model_validate({'people': [{'city': {'id': 1}}]}))",
        "people=[Person(city=City(id=1))]",
    ),
    "an optional model of an earlier cell": (
        "from typing import Optional\nfrom pydantic import BaseModel\nclass City(BaseModel):\n    id: int\n"
        "# %%\nclass Person(BaseModel):\n    city: Optional[City] = None",
        f"({PARSED}, Person().city)",
        [1, None],
    ),
    "postponed annotations": ("from __future__ import annotations" + NESTED, PARSED, 1),
    "a model that a later cell defines": (
        "from __future__ import annotations\nfrom pydantic import BaseModel\nfrom prefect import flow\n"
        "class Person(BaseModel):\n    city: City\n# %%\n@flow\ndef visit(person: Person): pass\n"
        "# %%\nclass City(BaseModel):\n    id: int",
        "str(visit.validate_parameters({'person': {'city': {'id': 4}}})['person'])",
        "city=City(id=4)",
    ),
    "a model that only a parameter names": (
        NESTED + "from prefect import flow\n@flow\ndef visit(person: Person): pass",
        "str(visit.validate_parameters({'person': {'city': {'id': 4}}})['person'])",
        "city=City(id=4)",
    ),
    "a list of models that only a parameter names": (
        NESTED + "from prefect import flow\n@flow\ndef visit(people: list[Person]): pass",
        "str(visit.validate_parameters({'people': [{'city': {'id': 4}}]})['people'])",
        "[Person(city=City(id=4))]",
    ),
    "a validator of a parameter's model": (
        "from pydantic import BaseModel, field_validator\nfrom prefect import flow\nclass Even(BaseModel):\n    n: int\n"
        "    @field_validator('n')\n    @classmethod\n    def even(cls, value):\n"
        "        if value % 2: raise ValueError('n must be even')\n        return value\n"
        "@flow\ndef take(even: Even): pass\ndef attempt(n):\n"
        "    try: return take.validate_parameters({'even': {'n': n}})['even'].n\n"
        "    except Exception as error: return 'n must be even' in str(error)",
        "(attempt(2), attempt(3))",
        [2, True],
    ),
    "a subclass of a model": (
        "from pydantic import BaseModel\nclass Base(BaseModel):\n    id: int\nclass Sub(Base):\n    name: str = 'x'\n"
        "subs = [Sub(id=1)]",
        "(str(subs[0]), str(type(subs[0])(id=4)))",
        ["id=1 name='x'", "id=4 name='x'"],
    ),
    "nested pydantic dataclasses": (
        "from pydantic.dataclasses import dataclass\n@dataclass\nclass Inner:\n    n: int\n@dataclass\nclass Outer:\n"
        "    inner: Inner",
        "str(Outer(inner={'n': '1'}))",
        "Outer(inner=Inner(n=1))",
    ),
    "a type adapter": (
        "from pydantic import TypeAdapter\nadapter = TypeAdapter(list[int])",
        "adapter.validate_python(['1'])",
        [1],
    ),
    "a protocol that is checked at run time": (
        "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass Goes(Protocol):\n"
        "    def go(self) -> int: ...\n"
        "class Car:\n    def go(self): return 1\ncar = Car()",
        "(isinstance(car, Goes), isinstance(3, Goes))",
        [True, False],
    ),
    "a virtual subclass": (
        "import abc\nclass Shape(abc.ABC):\n    @abc.abstractmethod\n    def area(self): ...\n"
        "class Square:\n    def area(self): return 4\nShape.register(Square)\nsquare = Square()",
        "(isinstance(square, Shape), square.area())",
        [True, 4],
    ),
    "cached properties and methods": (
        "from functools import cached_property, lru_cache\nclass Slow:\n    @cached_property\n    def five(self): return 5\n"
        "    @lru_cache\n    def six(self): return 6\nslow = Slow()\nslow.five",
        "(slow.five, slow.six())",
        [5, 6],
    ),
    "a frozen dataclass with slots": (
        "from dataclasses import dataclass, field\n@dataclass(frozen=True, slots=True)\nclass Range:\n    low: int\n"
        "    steps: list = field(default_factory=list)\nrange_ = Range(3)",
        "(range_.low, range_.steps)",
        [3, []],
    ),
    "slots with private names, in a subclass, as text": (
        "class Base:\n    __slots__ = ('x', '__y')\n    def __init__(self): self.x, self.__y = 1, 2\n"
        "    def get_y(self): return self.__y\n"
        "class Sub(Base): __slots__ = {'z': 'documented'}\nclass One: __slots__ = 'one'\nsub = Sub()\nsub.z = 3",
        "(sub.x, sub.get_y(), sub.z, One.__slots__)",
        [1, 2, 3, ["one"]],
    ),
    "an attrs class with slots": (
        "import attr\n@attr.s(auto_attribs=True, slots=True)\nclass Size:\n    n: int = 1\nsize = Size()",
        "(size.n, str(Size(2)))",
        [1, "Size(n=2)"],
    ),
    "static methods that are flows": (
        "from prefect import flow\nclass Jobs:\n    size = 3\n    @staticmethod\n    @flow(name='static one')\n"
        "    def static(n: int = 1): return n\njob = Jobs.static",
        "(job.fn(2), job.name, Jobs.static.fn())",
        [2, "static one", 1],
    ),
}

REFUSED = {
    "a lock in a private attribute": (
        "import threading\nfrom pydantic import BaseModel, PrivateAttr\nclass Guarded(BaseModel):\n    n: int = 1\n"
        "    _lock = PrivateAttr(default_factory=threading.Lock)\nguarded = Guarded()",
        "guarded.n",
        "main -> guarded.__pydantic_private__['_lock'] (_thread.lock): cannot pickle",
    ),
    "mapped classes of SQLAlchemy": (
        "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): pass\n"
        "class User(Base):\n    __tablename__ = 'users'\n    id: Mapped[int] = mapped_column(primary_key=True)",
        "len(Base.metadata.tables)",
        "main -> Base._sa_registry",
    ),
}


def test_travels(module_kernel: Kernel, tmp_path: Path) -> None:
    assert returned_elsewhere(module_kernel, TRAVELLING, tmp_path) == expected(TRAVELLING)


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, module_kernel: Kernel) -> None:
    cells, expression, message = REFUSED[name]
    assert message in refused(module_kernel, cells, expression).message
