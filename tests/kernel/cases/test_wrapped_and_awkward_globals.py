"""Wrapped functions and awkward objects among a notebook's globals: each gives its value in another process, or is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.cases.packed_cells import expected, refused, returned_elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.kernel_process import Kernel

LOCK = "import threading\nunrelated = threading.Lock()\n"
VALIDATED = LOCK + "import asyncio\nfrom pydantic import BaseModel, validate_call\n"

TRAVELLING = {
    "validated function": (VALIDATED + "@validate_call\ndef double(n: int): return 2 * n", "double('3')", 6),
    "validated result": (
        VALIDATED + "@validate_call(validate_return=True)\ndef read(n) -> int: return n",
        "read('3')",
        3,
    ),
    "validated coroutine": (
        VALIDATED + "@validate_call(validate_return=True)\nasync def read(n: int) -> str: return str(n)\n"
        "def run(n):\n    try: return asyncio.run(read(n))\n    except ValueError: return 'invalid'",
        "run('x')",
        "invalid",
    ),
    "validated with arbitrary types": (
        VALIDATED + "class Unit: size = 4\n@validate_call(config={'arbitrary_types_allowed': True})\n"
        "def size(unit: Unit): return unit.size",
        "size(Unit())",
        4,
    ),
    "validated method": (
        VALIDATED
        + "class Scale:\n    factor = 3\n    @validate_call\n    def apply(self, n: int): return n * self.factor\n"
        "scale = Scale()",
        "scale.apply('2')",
        6,
    ),
    "validated recursion": (
        VALIDATED + "@validate_call\ndef total(n: int): return n + total(str(n - 1)) if n else 0",
        "total('3')",
        6,
    ),
    "validated model": (
        VALIDATED + "class Point(BaseModel):\n    x: int\n@validate_call\ndef get_x(point: Point): return point.x",
        "get_x({'x': '5'})",
        5,
    ),
    "validated task": (
        VALIDATED + "from prefect import task\n@task\n@validate_call\ndef work(n: int): return n",
        "work.fn('7')",
        7,
    ),
    "function made by exec": (
        LOCK
        + "import functools\ndef checked(function):\n    scope = {'function': function, 'wraps': functools.wraps}\n"
        "    exec('@wraps(function)\\ndef inner(*a, **k):\\n    return function(*a, **k)', scope)\n    return scope['inner']\n"
        "@checked\ndef same(n: int): return n",
        "same(8)",
        8,
    ),
    "beartype": (LOCK + "from beartype import beartype\n@beartype\ndef same(n: int) -> int: return n", "same(9)", 9),
    "partial method": (
        LOCK + "import functools\nclass Adder:\n    def add(self, a, b): return a + b\n"
        "    add_two = functools.partialmethod(add, 2)\nadder = Adder()",
        "adder.add_two(1)",
        3,
    ),
    "cached function": (LOCK + "import functools\n@functools.cache\ndef same(n): return n", "same(4)", 4),
    "property subclass": (
        "class Upper(property):\n    def __init__(self, function):\n        super().__init__(function)\n"
        "        self.note = 'mine'\n"
        "    def __get__(self, owner, kind=None):\n        return self if owner is None else super().__get__(owner).upper()\n"
        "class Thing:\n    @Upper\n    def name(self): return 'q'\nthing = Thing()",
        "thing.name + Thing.name.note",
        "Qmine",
    ),
    "static method subclass": (
        "class Marked(staticmethod): pass\nclass Thing:\n    @Marked\n    def two(): return 2",
        "Thing.two()",
        2,
    ),
    "exception with its own arguments": (
        "class Failure(Exception):\n    def __init__(self, status, text):\n        super().__init__(f'{status}: {text}')\n"
        "        self.status = status\nfailure = Failure(404, 'lost')",
        "(str(failure), failure.status)",
        ["404: lost", 404],
    ),
    "exception with keyword arguments": (
        "class Failure(ValueError):\n    def __init__(self, *, code):\n        super().__init__()\n        self.code = code\n"
        "failure = Failure(code=5)",
        "failure.code",
        5,
    ),
    "attributes on demand": (
        "class Conf:\n    def __init__(self, values): self._values = values\n    def __getattr__(self, name):\n"
        "        if name.startswith('_'): raise AttributeError(name)\n        return self._values[name]\nconf = Conf({'a': 1})",
        "conf.a",
        1,
    ),
    "text in memory": ("import io\nbuffer = io.StringIO('abc')", "buffer.getvalue()", "abc"),
    "decorator that reads the signature": (
        "import functools, inspect\ndef typed(function):\n    signature = inspect.signature(function)\n"
        "    @functools.wraps(function)\n    def inner(*args, **kwargs):\n        signature.bind(*args, **kwargs)\n"
        "        return function(*args, **kwargs)\n    return inner\n@typed\ndef same(n: int): return n",
        "same(3)",
        3,
    ),
    "property subclass without the base's functions": (
        "class Prefixed(property):\n    def __init__(self, function): self.function = function\n"
        "    def __get__(self, owner, kind=None): return self if owner is None else 'p_' + self.function(owner)\n"
        "class Thing:\n    @Prefixed\n    def name(self): return 'q'\nthing = Thing()",
        "thing.name",
        "p_q",
    ),
    "generator as context manager": (
        "from contextlib import contextmanager\n@contextmanager\ndef opened():\n    yield 4",
        "opened().__enter__()",
        4,
    ),
    "no truth, equality, length or repr": (
        "class Odd:\n    __hash__ = None\n    def __bool__(self): raise ValueError('ambiguous')\n"
        "    def __eq__(self, other): raise ValueError('not comparable')\n    def __len__(self): raise TypeError('no length')\n"
        "    def __repr__(self): raise RuntimeError('no repr')\nodd = [Odd(), {'key': Odd()}]",
        "[len(odd), type(odd[1]['key']).__name__]",
        [2, "Odd"],
    ),
    "no attribute may be read": (
        "class Closed:\n    def __getattribute__(self, name):\n"
        "        if name.startswith('__'): return object.__getattribute__(self, name)\n"
        "        raise RuntimeError('touched ' + name)\nclosed = Closed()",
        "type(closed).__name__",
        "Closed",
    ),
}

REFUSED = {
    "recursive __getattr__": (
        "class Conf:\n    def __init__(self, values): self._values = values\n"
        "    def __getattr__(self, name): return self._values[name]\nconf = Conf({'a': 1})",
        "conf.a",
        "main -> conf (__main__.Conf): it can be pickled, but not loaded again: RecursionError in ",
        "Make __getattr__ raise AttributeError",
    ),
    "__setstate__ that raises": (
        "class State:\n    def __init__(self): self.n = 1\n    def __setstate__(self, state): self.m = state['m']\n"
        "value = State()",
        "value.n",
        "main -> value (__main__.State): it can be pickled, but not loaded again: KeyError in ",
        "__setstate__",
    ),
    "__reduce__ with wrong arguments": (
        "class Thing:\n    def __init__(self, a): self.a = a\n    def __reduce__(self): return Thing, ()\nvalue = [Thing(1)]",
        "value[0].a",
        "main -> value[0] (__main__.Thing): it can be pickled, but not loaded again: TypeError",
        "__setstate__",
    ),
    "hash of what is not set yet": (
        "class Node:\n    def __init__(self, name): self.name, self.near = name, set()\n"
        "    def __hash__(self): return hash(self.name)\nnode = Node('a')\nnode.near.add(node)",
        "node.name",
        "main -> node (__main__.Node): it can be pickled, but not loaded again: AttributeError in ",
        "__setstate__",
    ),
    "lock of a class": (
        "import threading\nclass Conf:\n    lock = threading.Lock()\nconf = Conf()",
        "conf.lock",
        "main -> conf.lock (_thread.lock): cannot pickle",
        "Remove it from the class body",
    ),
    "another class than its type": (
        "class Disguised:\n    @property\n    def __class__(self): return dict\ndisguised = Disguised()",
        "isinstance(disguised, dict)",
        "main -> disguised (__main__.Disguised): ",
        "Create it inside the flow",
    ),
    "open file": (
        "import sys\nfile = open('/etc/hostname')",
        "file.read()",
        "main -> file (_io.TextIOWrapper): an open file exists only in this process",
        "Open it inside the task",
    ),
}


def test_travels(module_kernel: Kernel, tmp_path: Path) -> None:
    assert returned_elsewhere(module_kernel, TRAVELLING, tmp_path) == expected(TRAVELLING)


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, module_kernel: Kernel) -> None:
    cells, expression, message, fix = REFUSED[name]
    error = refused(module_kernel, cells, expression)
    assert message in error.message
    assert fix in str(error.fix)
