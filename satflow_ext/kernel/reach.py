"""Everything a flow reaches, each thing with the path that leads to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import CodeType
from typing import NamedTuple

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
        view = view._replace(parts=tuple(islice(view.parts, ENOUGH)))  # read by the caller as well as here
        yield Reached(path, value, view)
        waiting.extend(((*path, label) if label else path, part) for label, part in view.parts)


def spell(path: tuple[str, ...]) -> str:
    """A path as people read it: `main -> helper -> client.session`."""
    steps = (step if step.startswith((".", "[")) else f" -> {step}" for step in path[1:])
    return path[0] + "".join(steps)


def codes(root: object) -> list[CodeType]:
    """The code of every function that a flow reaches and that travels by value."""
    return [reached.value for reached in reach(root, "") if isinstance(reached.value, CodeType)]
