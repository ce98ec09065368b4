"""The fingerprint is the same for the same notebook and another for any change that matters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from satflow_ext.kernel.fingerprint import SharedDigests, SlowDigests, compute_fingerprint
from tests.kernel.notebooks import NOTEBOOKS

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel

NOTEBOOK = '''
import enum, functools, logging, math
from dataclasses import dataclass
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import BaseModel, Field, field_validator

log = logging.getLogger("mine")
LIMIT = 10
names = {"b", "a", "c"}
table = {"x": [1, 2, {"deep": (3, b"raw")}], "y": 2.5}
unused = 1

class Colour(enum.Enum):
    RED = 1
    def loud(self): return self.name

@dataclass
class Box:
    side: int = 1
    def area(self): return self.side ** 2

class Config(BaseModel):
    n: int = Field(1, ge=0)
    @field_validator("n")
    @classmethod
    def even(cls, v): return v

class Base:
    def go(self): return 1
class Thing(Base):
    size = 5
    @property
    def half(self): return self.size / 2
thing = Thing()
thing.weight = 3

@functools.lru_cache(maxsize=8)
def cached(n): return n

def again(n): return helper(n - 1) if n else 0
def helper(n, step=1, *, kind="a"):
    "Helps."
    return again(n) + LIMIT

def make(k):
    def inner(x): return x * k
    return inner
scale = make(3)

@task(retries=1, tags={"t", "u"}, timeout_seconds=9)
def work(n: int):
    log.info("working")
    return helper(n), Thing().half, Box().area(), scale(2), cached(1), thing, Colour.RED, math.pi, names, table

@flow(name="main", retries=0, task_runner=ThreadPoolTaskRunner(max_workers=2))
def main(n: int = 3, config: Config = Config()):
    """Does it."""
    return [work(i) for i in range(n)]
'''

CHANGES = {
    "flow code": ("range(n)]", "range(n + 1)]"),
    "flow doc": ("Does it.", "Does it well."),
    "flow name": ('name="main"', 'name="other"'),
    "flow retries": ("retries=0", "retries=2"),
    "flow default": ("n: int = 3", "n: int = 4"),
    "flow annotation": ("main(n: int", "main(n: float"),
    "task runner": ("max_workers=2", "max_workers=4"),
    "task runner type": (
        "ThreadPoolTaskRunner(max_workers=2)",
        "__import__('prefect').task_runners.ProcessPoolTaskRunner()",
    ),
    "task retries": ("retries=1", "retries=3"),
    "task tags": ('{"t", "u"}', '{"t"}'),
    "task timeout": ("timeout_seconds=9", "timeout_seconds=8"),
    "task option": ("@task(retries=1", "@task(log_prints=True, retries=1"),
    "cache policy": ("@task(retries=1", "@task(cache_policy=__import__('prefect').cache_policies.INPUTS, retries=1"),
    "helper code": ("+ LIMIT", "- LIMIT"),
    "helper default": ("step=1", "step=2"),
    "helper keyword default": ('kind="a"', 'kind="b"'),
    "mutual recursion": ("else 0", "else 1"),
    "number": ("LIMIT = 10", "LIMIT = 11"),
    "type of a number": ("LIMIT = 10", "LIMIT = 10.0"),
    "set": ('{"b", "a", "c"}', '{"b", "a", "d"}'),
    "deep data": ('b"raw"', 'b"row"'),
    "closure": ("make(3)", "make(4)"),
    "method": ("self.side ** 2", "self.side ** 3"),
    "dataclass default": ("side: int = 1", "side: int = 2"),
    "enum value": ("RED = 1", "RED = 2"),
    "enum method": ("return self.name", "return self.value"),
    "pydantic constraint": ("ge=0", "ge=1"),
    "pydantic validator": ("def even(cls, v): return v", "def even(cls, v): return v + 1"),
    "class attribute": ("size = 5", "size = 6"),
    "property": ("self.size / 2", "self.size / 3"),
    "base class": ("def go(self): return 1", "def go(self): return 2"),
    "instance attribute": ("thing.weight = 3", "thing.weight = 4"),
    "cache size": ("maxsize=8", "maxsize=9"),
    "cached function": ("def cached(n): return n", "def cached(n): return -n"),
    "installed module": ("math.pi", "math.e"),
    "logger": ('getLogger("mine")', 'getLogger("yours")'),
}

SAME = {
    "nothing": ("", ""),
    "line numbers": ("\nlog =", "\n\n\n\nlog ="),
    "comments": ("return helper(n), ", "# why\n    return helper(n), "),
    "what is not used": ("unused = 1", "unused = 2"),
    "order of a set": ('{"b", "a", "c"}', '{"c", "b", "a"}'),
    "order of a dict": (
        '{"x": [1, 2, {"deep": (3, b"raw")}], "y": 2.5}',
        '{"y": 2.5, "x": [1, 2, {"deep": (3, b"raw")}]}',
    ),
    "order of methods": (
        "size = 5\n    @property\n    def half(self): return self.size / 2",
        "@property\n    def half(self): return self.size / 2\n    size = 5",
    ),
    "a used cache": ("scale = make(3)", "scale = make(3); cached(5)"),
    "the flow was called by name": ("unused = 1", "unused = __name__"),
}


def flow_of(text: str) -> Any:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), space)
    return space["main"]


@pytest.fixture(scope="module")
def original() -> tuple[str, str]:
    flow = flow_of(NOTEBOOK)
    return compute_fingerprint(flow), compute_fingerprint(flow, exact=True)


@pytest.mark.parametrize("name", CHANGES)
def test_sees(name: str, original: tuple[str, str]) -> None:
    before, after = CHANGES[name]
    assert before in NOTEBOOK
    flow = flow_of(NOTEBOOK.replace(before, after))
    assert compute_fingerprint(flow) != original[0]
    assert compute_fingerprint(flow, exact=True) != original[1]


@pytest.mark.parametrize("name", SAME)
def test_does_not_mind(name: str, original: tuple[str, str]) -> None:
    before, after = SAME[name]
    assert before in NOTEBOOK
    flow = flow_of(NOTEBOOK.replace(before, after))
    assert compute_fingerprint(flow) == original[0]
    assert compute_fingerprint(flow, exact=True) == original[1]


@pytest.fixture(scope="module")
def two_kernels(tmp_path_factory: pytest.TempPathFactory, start_kernel: Any) -> Iterator[tuple[Kernel, Kernel]]:
    started = [start_kernel(tmp_path_factory.mktemp("home"), PYTHONHASHSEED=seed) for seed in ("1", "77")]
    yield started[0], started[1]
    for kernel in started:
        kernel.stop()


@pytest.mark.parametrize("each", NOTEBOOKS, ids=lambda each: each.name)
def test_same_in_two_kernels(each: Any, two_kernels: tuple[Kernel, Kernel]) -> None:
    first, second = two_kernels
    first.open_notebook(each)
    second.run("padding = 1\n# other line numbers, another execution count")
    second.open_notebook(each)
    one, other = (kernel.pack("main") for kernel in two_kernels)
    assert one["flow"]["fingerprint"] == other["flow"]["fingerprint"]
    assert one["exact"] == other["exact"]


def test_same_when_the_notebook_ran_before(two_kernels: tuple[Kernel, Kernel]) -> None:
    kernel, _ = two_kernels
    fingerprints = set()
    for _ in range(2):
        kernel.run(NOTEBOOK)
        fingerprints.add(kernel.pack("main")["exact"])
        kernel.run("cached(3); main.fn.__globals__['log'].debug('x')")
        fingerprints.add(kernel.pack("main")["exact"])
    assert len(fingerprints) == 1


def test_what_is_slow_to_read_is_read_once_while_it_lives() -> None:
    class Reads:
        times = 0

        def __reduce__(self) -> tuple[Any, ...]:
            type(self).times += 1
            time.sleep(0.02)
            return (int, ())

    value, slow = Reads(), SlowDigests()
    assert len({compute_fingerprint([value], slow=slow) for _ in range(3)}) == 1
    assert Reads.times == 1
    assert compute_fingerprint([Reads()], slow=slow) == compute_fingerprint([value], slow=slow)
    assert Reads.times == 2


def test_what_is_slow_hides_no_change_of_the_flow() -> None:
    text = """
import time
from prefect import flow
class Reads:
    def __reduce__(self):
        time.sleep(0.02)
        return (int, ())
value, limit = Reads(), 1
@flow
def main(): return value, limit
"""
    flow, slow = flow_of(text), SlowDigests()
    before = compute_fingerprint(flow, slow=slow)
    flow.fn.__globals__["limit"] = 2
    assert compute_fingerprint(flow, slow=slow) != before


def test_the_same_alone_and_beside_other_flows() -> None:
    text = """
from prefect import flow
table = {"a": [1, {2: [3]}]}
def odd(n): return n and even(n - 1)
def even(n): return n and odd(n - 1)
@flow
def first(): return odd(3), table
@flow
def main(): return even(3), table, first
"""
    main = flow_of(text)
    first = main.fn.__globals__["first"]
    alone = compute_fingerprint(first), compute_fingerprint(main)
    one, other = SharedDigests(), SharedDigests()
    assert (compute_fingerprint(first, shared=one), compute_fingerprint(main, shared=one)) == alone
    assert compute_fingerprint(main, shared=other) == alone[1]
    assert compute_fingerprint(first, shared=other) == alone[0]


def test_numbers_longer_than_python_prints() -> None:
    assert compute_fingerprint([10**5000, 1]) != compute_fingerprint([10**5000 + 1, 1])


def test_data_inside_themselves() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    other: list[Any] = [2]
    other.append(other)
    assert compute_fingerprint(loop) == compute_fingerprint(loop)
    assert compute_fingerprint(loop) != compute_fingerprint(other)


def test_long_data_are_sampled_and_exactly_read_in_full() -> None:
    one, other = list(range(100_000)), list(range(100_000))
    other[77_777] = 0
    assert compute_fingerprint(one) == compute_fingerprint(other)
    assert compute_fingerprint(one, exact=True) != compute_fingerprint(other, exact=True)
    assert compute_fingerprint(one[:-1]) != compute_fingerprint(one)


def test_text_is_not_its_bytes() -> None:
    values = ["a", b"a", ("a",), ["a"], {"a"}, {"a": None}, frozenset("a"), 1, True, 1.0, "1", None, "None"]
    assert len({compute_fingerprint(value) for value in values}) == len(values)
