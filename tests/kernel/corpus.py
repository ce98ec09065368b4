"""Notebooks as people write them: for each the cells, the files beside the notebook, the call and what it gives.

Each cell is a text; the flow is always called `main`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent


@dataclass(frozen=True)
class Case:
    """Cells and local files, parameters of the run, and the repr of what the flow returns."""

    name: str
    cells: tuple[str, ...]
    expected: str
    parameters: dict[str, object] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def case(name: str, *cells: str, gives: str, files: dict[str, str] | None = None, **parameters: object) -> Case:
    beside = {path: dedent(text) for path, text in (files or {}).items()}
    return Case(name, ("from prefect import flow, task", *map(dedent, cells)), gives, parameters, beside)


CASES = [
    case("plain", "@flow\ndef main(n: int = 3): return n + 1", gives="4"),
    case(
        "several cells",
        "factor = 10",
        "def scale(x): return x * factor",
        "@task\ndef work(x): return scale(x)",
        "@flow\ndef main(n: int): return work(n)",
        gives="20",
        n=2,
    ),
    case(
        "mapped tasks",
        "@task\ndef square(x): return x * x",
        "@flow\ndef main(): return sum(square.map([1, 2, 3]).result())",
        gives="14",
    ),
    case(
        "nested flows",
        "@flow\ndef inner(x): return x + 1",
        "@flow\ndef main(): return inner(inner(1))",
        gives="3",
    ),
    case(
        "async flow",
        "import asyncio\n@task\nasync def wait(x):\n    await asyncio.sleep(0)\n    return x",
        "@flow\nasync def main():\n    return sum(await asyncio.gather(wait(1), wait(2)))",
        gives="3",
    ),
    case("generator flow", "@flow\ndef main():\n    yield 1\n    yield 2", gives="[1, 2]"),
    case(
        "closure",
        "def make(step):\n    total = 5\n    @flow\n    def main(n: int = 1): return n + step + total\n    return main",
        "main = make(100)",
        gives="106",
    ),
    case(
        "dataclass parameter",
        "from dataclasses import dataclass, field\n"
        "@dataclass\n"
        "class Box:\n"
        "    side: int\n"
        "    tags: list[str] = field(default_factory=list)\n"
        "    def area(self): return self.side ** 2",
        "@flow\ndef main(box: Box): return box.area(), box.tags",
        gives="(9, ['a'])",
        box={"side": 3, "tags": ["a"]},
    ),
    case(
        "dataclass options",
        "from dataclasses import dataclass, field, KW_ONLY, replace, fields, asdict\n"
        "@dataclass(frozen=True, order=True)\n"
        "class P:\n"
        "    x: int\n"
        "    y: int = 2\n"
        "    _: KW_ONLY\n"
        "    z: list = field(default_factory=list)\n"
        "@dataclass\n"
        "class Q:\n"
        "    p: P = P(1)",
        "@flow\ndef main(): return asdict(Q()), replace(P(1), y=5).z, P(1) < P(2), [f.name for f in fields(P)]",
        gives="({'p': {'x': 1, 'y': 2, 'z': []}}, [], True, ['x', 'y', 'z'])",
    ),
    case(
        "pydantic parameter",
        """
        from pydantic import BaseModel, Field, field_validator
        class Config(BaseModel):
            n: int = Field(1, ge=0)
            name: str = "x"
            @field_validator("name")
            @classmethod
            def shout(cls, v): return v.upper()
        """,
        "@flow\ndef main(config: Config = Config()): return config.n, config.name",
        gives="(7, 'DAY')",
        config={"n": 7, "name": "day"},
    ),
    case(
        "enum parameter",
        "import enum\nclass Colour(enum.Enum):\n    RED = 'red'\n    def loud(self): return self.value.upper()",
        "@flow\ndef main(colour: Colour): return colour.loud()",
        gives="'RED'",
        colour="red",
    ),
    case(
        "class hierarchy",
        """
        import abc
        class Base(abc.ABC):
            @abc.abstractmethod
            def go(self): ...
            @property
            def twice(self): return 2 * self.go()
        class Real(Base):
            __slots__ = ("x",)
            def __init__(self, x): self.x = x
            def go(self): return self.x
            @staticmethod
            def make(): return Real(21)
            @classmethod
            def two(cls): return cls(2)
            def __add__(self, other): return Real(self.x + other.x)
            def up(self): return super().twice
        """,
        "thing = Real.make()",
        "@flow\ndef main(): return thing.twice, (thing + Real.two()).up()",
        gives="(42, 46)",
    ),
    case(
        "decorator from another cell",
        """
        import functools
        from typing import Callable, ParamSpec, TypeVar
        P = ParamSpec("P")
        R = TypeVar("R")
        def twice(fn: Callable[P, R]) -> Callable[P, R]:
            @functools.wraps(fn)
            def inner(*args: P.args, **kwargs: P.kwargs) -> R:
                return fn(*args, **kwargs) * 2
            return inner
        """,
        "@flow\n@twice\ndef main(n: int = 4): return n",
        gives="8",
    ),
    case(
        "lambda and partial",
        "import functools\nadd = lambda a, b: a + b\nadd5 = functools.partial(add, 5)",
        "@flow\ndef main(): return add5(1)",
        gives="6",
    ),
    case(
        "lru_cache, cached_property, NewType",
        """
        from functools import cache, cached_property, lru_cache
        from typing import NewType
        UserId = NewType("UserId", int)
        @lru_cache(maxsize=10)
        def slow(n): return n * 2
        @cache
        def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
        class Lazy:
            @cached_property
            def value(self): return fib(10)
        """,
        "lazy = Lazy()",
        "@flow\ndef main(user: UserId = 3): return slow(user), lazy.value",
        gives="(6, 55)",
    ),
    case(
        "globals of every kind",
        """
        import datetime, collections, decimal, pathlib, re, logging
        from types import SimpleNamespace
        log = logging.getLogger("mine")
        made = {"s": {1, 2}, "t": (1,), "d": datetime.date(2026, 1, 2), "x": decimal.Decimal("1.5"), 3: [None, True, b"x"]}
        Point = collections.namedtuple("Point", "x y")
        where = Point(1, y=2)
        ordered = collections.OrderedDict(b=1, a=2)
        counts = collections.Counter("hello")
        many = collections.defaultdict(list, k=[1])
        pattern = re.compile("[0-9]+")
        space = SimpleNamespace(deep=SimpleNamespace(n=5))
        """,
        """
        @flow
        def main():
            log.info("hello")
            return made["d"].year, where.y, list(ordered), counts["l"], many["k"], pattern.findall("a1b22"), space.deep.n
        """,
        gives="(2026, 2, ['b', 'a'], 2, [1], ['1', '22'], 5)",
    ),
    case(
        "numpy globals",
        "import numpy as np\nnames = np.array(['x', None], dtype=object)\ngrid = np.arange(6).reshape(2, 3)[:, ::2]",
        "@flow\ndef main(): return names.tolist(), grid.tolist()",
        gives="(['x', None], [[0, 2], [3, 5]])",
    ),
    case(
        "recursion, and two functions that call each other",
        "def even(n): return True if n == 0 else odd(n - 1)\ndef odd(n): return False if n == 0 else even(n - 1)",
        "loop = {'me': None}\nloop['me'] = loop",
        "@flow\ndef main(depth: int = 3):\n    return main(depth - 1) if depth else (even(10), loop['me'] is loop)",
        gives="(True, True)",
    ),
    case(
        "local module",
        "from helpers import double",
        "@flow\ndef main(): return double(4)",
        files={"helpers.py": "FACTOR = 2\ndef _by(x): return x * FACTOR\ndef double(x): return _by(x)\n"},
        gives="8",
    ),
    case(
        "local module as a module",
        "import helpers as h",
        "@flow\ndef main(): return h.double(h.FACTOR)",
        files={"helpers.py": "import math\nFACTOR = 2\ndef double(x): return math.floor(x * FACTOR)\n"},
        gives="4",
    ),
    case(
        "local package with submodules and circular imports",
        "import pkg.deep.tool\nfrom pkg import Thing",
        "@flow\ndef main(): return pkg.deep.tool.run(3), Thing(2).value()",
        files={
            "pkg/__init__.py": "from .things import Thing\nfrom . import base\n",
            "pkg/base.py": "import pkg\nONE = 1\ndef one(): return pkg.base.ONE\n",
            "pkg/things.py": (
                "from .base import one\n"
                "class Thing:\n"
                "    def __init__(self, x): self.x = x\n"
                "    def value(self): return self.x + one()\n"
                ""
            ),
            "pkg/deep/__init__.py": "",
            "pkg/deep/tool.py": (
                "from .. import base\nfrom ..things import Thing\ndef run(x): return Thing(x).value() + base.one()\n"
            ),
        },
        gives="(5, 3)",
    ),
    case(
        "tasks and flows of a local module",
        "from steps import inner, load",
        "@flow\ndef main(): return inner(load(1))",
        files={
            "steps.py": """
                from prefect import flow, task
                OFFSET = 5
                @task
                def load(x): return x + OFFSET
                @flow
                def inner(x): return x * 2
            """
        },
        gives="12",
    ),
    case(
        "imports inside the flow",
        "@flow\n"
        "def main():\n"
        "    import json\n"
        "    from collections import Counter\n"
        "    return json.loads('[1]'), Counter('aa')['a']",
        gives="([1], 2)",
    ),
    case(
        "local modules imported inside",
        "from outer import start\n@task\ndef work():\n    from lazy.part import value\n    return value()",
        "@flow\ndef main():\n    import single as s\n    return s.ONE, work(), start()",
        files={
            "single.py": "from second import TWO\nONE = TWO - 1\n",
            "second.py": "TWO = 2\n",
            "lazy/__init__.py": "",
            "lazy/part.py": "from . import other\ndef value(): return other.V\n",
            "lazy/other.py": "V = 'lazy'\n",
            "outer.py": "def start():\n    from third import THREE\n    return THREE\n",
            "third.py": "THREE = 3\n",
        },
        gives="(1, 'lazy', 3)",
    ),
    case(
        "task options and hooks",
        "tries = []\ndef told(task, run, state): pass\ndef key(context, parameters): return None",
        """
        @task(retries=2, retry_delay_seconds=0, tags={"a"}, timeout_seconds=30, on_completion=[told], log_prints=True)
        def shaky():
            tries.append(1)
            if len(tries) < 2: raise ValueError("again")
            print("made it")
            return len(tries)
        """,
        "@flow(name='Named flow', retries=1, on_completion=[lambda flow, run, state: None])\n"
        "def main(): return shaky()",
        gives="2",
    ),
    case(
        "postponed annotations",
        "from __future__ import annotations\n"
        "import datetime\n"
        "from pydantic import BaseModel\n"
        "class Window(BaseModel):\n"
        "    start: datetime.date\n"
        "    days: int | None = None",
        "@flow\ndef main(window: Window, more: list[Window] = ()): return window.start.year, len(more)",
        gives="(2026, 1)",
        window={"start": "2026-05-01"},
        more=[{"start": "2026-05-01", "days": 3}],
    ),
    case(
        "classes that know each other, and generics",
        """
        from typing import Generic, TypeVar, Protocol
        T = TypeVar("T")
        class Speaks(Protocol):
            def speak(self) -> str: ...
        class Node(Generic[T]):
            def __init__(self, value: T): self.value, self.tree = value, None
            def speak(self): return Tree(self).name()
        class Tree:
            def __init__(self, root): self.root = root; root.tree = self
            def name(self): return f"{type(self).__name__} of {type(self.root).__name__}[{self.root.value}]"
        def talk(x: Speaks) -> str: return x.speak()
        """,
        "@flow\ndef main(): return talk(Node[int](3))",
        gives="'Tree of Node[3]'",
    ),
    case(
        "exceptions, context managers, match",
        """
        import contextlib
        class Bad(ValueError):
            def __init__(self, code): super().__init__(code); self.code = code
        @contextlib.contextmanager
        def quiet():
            try: yield "in"
            except Bad as e: seen.append(e.code)
        seen = []
        """,
        """
        @flow
        def main():
            with quiet():
                raise Bad(7)
            match seen:
                case [code]: return code
        """,
        gives="7",
    ),
]
