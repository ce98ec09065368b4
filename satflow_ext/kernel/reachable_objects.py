"""All objects that a flow reaches, each with its path."""

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
"""Maximum number of objects to visit, which limits the time of a walk."""

LISTED: tuple[type, ...] = (list, tuple, set, frozenset, type({}.keys()), type({}.values()))


class Reached(NamedTuple):
    """An object, the path from the flow to it, and its view.

    `plain`: a container of only plain values, which were not visited individually.
    """

    path: tuple[str, ...]
    value: object
    view: View
    plain: bool = False


def reach(root: object, name: str, *, data: bool = True) -> Iterator[Reached]:
    """Yield the objects that `root` reaches, nearest first, each object once.

    Args:
        root: the first object.
        name: the first step of every path.
        data: also visit the contents of containers with only plain values. These can always be pickled.
    """
    waiting: deque[tuple[tuple[str, ...], object]] = deque([((name,), root)])
    seen: dict[int, object] = {}
    while waiting and len(seen) < ENOUGH:
        path, value = waiting.popleft()
        if id(value) in seen or type(value) in ATOMS:
            continue
        seen[id(value)] = value  # keep the object: an id is unique only while its object exists
        plain = not data and is_plain(value, ENOUGH)
        view = look(value)
        yield Reached(path, value, view, plain)
        if not plain and not _only_atoms(value):
            parts = islice(view.parts, ENOUGH)
            waiting.extend(((*path, label) if label else path, part) for label, part in parts if not _is_atom(part))


def _only_atoms(value: object) -> bool:
    """Return whether a container, which may be long, holds only atoms."""
    if type(value) is dict:
        return _only_atoms(value.keys()) and _only_atoms(value.values())
    return type(value) in LISTED and ATOMS.issuperset(map(type, islice(value, ENOUGH)))  # type: ignore[call-overload]


def _is_atom(part: object) -> bool:
    """Return whether a part is an atom, or a pair of two atoms."""
    return type(part) in ATOMS or (type(part) is Pair and ATOMS.issuperset(map(type, part)))


class Whole(NamedTuple):
    """A flow and all objects that it reaches, from one walk that all users share."""

    found: Found
    reached: list[Reached]


def walk(found: Found, *, data: bool = True) -> Whole:
    """Walk over a flow and the setup cells, with `data` as for `reach`. The result holds the output of pickling methods."""
    roots = [(found.flow, found.variable), *((code_of(cell), "setup cell") for cell in cells())]
    return Whole(found, [each for root, name in roots for each in reach(root, name, data=data)])


def is_variable(step: str) -> bool:
    """Return whether a step of a path is the name of a variable, not an attribute, index or default."""
    return not step.startswith((".", "[", "("))


def type_name(value: object) -> str:
    """Format the type of an object for messages."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def spell(path: tuple[str, ...]) -> str:
    """Format a path for messages: `main -> helper -> client.session`."""
    steps = (step if step.startswith((".", "[")) else f" -> {step}" for step in path[1:])
    return path[0] + "".join(steps)
