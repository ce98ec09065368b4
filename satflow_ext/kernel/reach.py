"""Everything a flow reaches, each thing with the path that leads to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from satflow_ext.kernel.find import Found
from satflow_ext.kernel.views import ATOMS, View, look

ENOUGH = 200_000
"""Objects after which looking further is not worth the wait."""


class Reached(NamedTuple):
    """An object, the path from the flow to it, and what it is made of."""

    path: tuple[str, ...]
    value: object
    view: View


def reach(root: object, name: str) -> Iterator[Reached]:
    """What `root` reaches, nearest first, each object once. `name` begins every path."""
    waiting: deque[tuple[tuple[str, ...], object]] = deque([((name,), root)])
    seen: dict[int, object] = {}
    while waiting and len(seen) < ENOUGH:
        path, value = waiting.popleft()
        if id(value) in seen or type(value) in ATOMS:
            continue
        seen[id(value)] = value  # kept: an id is its own only while the object lives
        view = look(value)
        yield Reached(path, value, view)
        parts = islice(view.parts, ENOUGH)
        waiting.extend(((*path, label) if label else path, part) for label, part in parts if type(part) not in ATOMS)


class Whole(NamedTuple):
    """A flow and all that it reaches, walked over once for everybody who asks."""

    found: Found
    reached: list[Reached]


def walk(found: Found) -> Whole:
    """Walk over a flow. Kept, it keeps what the objects' own pickling methods gave."""
    return Whole(found, list(reach(found.flow, found.variable)))


def is_variable(step: str) -> bool:
    """Whether a step of a path is a variable's name, and no attribute, index or default."""
    return not step.startswith((".", "[", "("))


def type_name(value: object) -> str:
    """The type of something reached, as people read it."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def spell(path: tuple[str, ...]) -> str:
    """A path as people read it: `main -> helper -> client.session`."""
    steps = (step if step.startswith((".", "[")) else f" -> {step}" for step in path[1:])
    return path[0] + "".join(steps)
