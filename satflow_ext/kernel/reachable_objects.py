"""Everything a flow reaches, each thing with the path that leads to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from satflow_ext.kernel.flow_discovery import Found
from satflow_ext.kernel.key_value import Pair
from satflow_ext.kernel.object_views import ATOMS, View, look
from satflow_ext.kernel.plain_data import is_plain
from satflow_ext.kernel.setup_cells import code_of
from satflow_ext.setup_cells import cells

ENOUGH = 200_000
"""Objects after which looking further is not worth the wait."""

LISTED: tuple[type, ...] = (list, tuple, set, frozenset, type({}.keys()), type({}.values()))


class Reached(NamedTuple):
    """An object, the path from the flow to it, and what it is made of.

    `plain`: a container of nothing but plain values, which were not reached one by one.
    """

    path: tuple[str, ...]
    value: object
    view: View
    plain: bool = False


def reach(root: object, name: str, *, data: bool = True) -> Iterator[Reached]:
    """What `root` reaches, nearest first, each object once.

    Args:
        root: where to begin.
        name: begins every path.
        data: also what is in containers that hold nothing but plain values. They refer to nothing and can always be pickled.
    """
    waiting: deque[tuple[tuple[str, ...], object]] = deque([((name,), root)])
    seen: dict[int, object] = {}
    while waiting and len(seen) < ENOUGH:
        path, value = waiting.popleft()
        if id(value) in seen or type(value) in ATOMS:
            continue
        seen[id(value)] = value  # kept: an id is its own only while the object lives
        plain = not data and is_plain(value, ENOUGH)
        view = look(value)
        yield Reached(path, value, view, plain)
        if not plain and not _only_atoms(value):
            parts = islice(view.parts, ENOUGH)
            waiting.extend(((*path, label) if label else path, part) for label, part in parts if not _is_atom(part))


def _only_atoms(value: object) -> bool:
    """Whether a container, which may be long, holds nothing to go on to."""
    if type(value) is dict:
        return _only_atoms(value.keys()) and _only_atoms(value.values())
    return type(value) in LISTED and ATOMS.issuperset(map(type, islice(value, ENOUGH)))  # type: ignore[call-overload]


def _is_atom(part: object) -> bool:
    """Whether there is nothing to go on to: also a key and a value that are both atoms."""
    return type(part) in ATOMS or (type(part) is Pair and ATOMS.issuperset(map(type, part)))


class Whole(NamedTuple):
    """A flow and all that it reaches, walked over once for everybody who asks."""

    found: Found
    reached: list[Reached]


def walk(found: Found, *, data: bool = True) -> Whole:
    """Walk over a flow and the setup cells. Kept, it keeps what the objects' own pickling methods gave. `data` as for `reach`."""
    roots = [(found.flow, found.variable), *((code_of(cell), "setup cell") for cell in cells())]
    return Whole(found, [each for root, name in roots for each in reach(root, name, data=data)])


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
