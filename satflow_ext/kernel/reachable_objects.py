"""All objects that a flow reaches, each with its path."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from satflow_ext.kernel.flow_discovery import FoundFlow
from satflow_ext.kernel.key_value import KeyValue
from satflow_ext.kernel.object_views import ATOMS, View, view_object
from satflow_ext.kernel.plain_data import is_plain
from satflow_ext.kernel.setup_cell_recorder import compile_cell
from satflow_ext.setup_cells import list_setup_cells

MAX_OBJECTS = 200_000
"""Maximum number of objects to visit, which limits the time of a walk."""

LISTED_TYPES: tuple[type, ...] = (list, tuple, set, frozenset, type({}.keys()), type({}.values()))


class ReachedObject(NamedTuple):
    """An object, the path from the flow to it, and its view.

    `plain`: a container of only plain values, which were not visited individually.
    """

    path: tuple[str, ...]
    value: object
    view: View
    plain: bool = False


def iterate_reachable(root: object, name: str, *, visit_plain_data: bool = True) -> Iterator[ReachedObject]:
    """Yield the objects that `root` reaches, nearest first, each object once.

    Args:
        root: the first object.
        name: the first step of every path.
        visit_plain_data: also visit the contents of containers with only plain values. These can always be pickled.
    """
    waiting: deque[tuple[tuple[str, ...], object]] = deque([((name,), root)])
    seen: dict[int, object] = {}
    while waiting and len(seen) < MAX_OBJECTS:
        path, value = waiting.popleft()
        if id(value) in seen or type(value) in ATOMS:
            continue
        seen[id(value)] = value  # keep the object: an id is unique only while its object exists
        plain = not visit_plain_data and is_plain(value, MAX_OBJECTS)
        view = view_object(value)
        yield ReachedObject(path, value, view, plain)
        if not plain and not _only_atoms(value):
            parts = islice(view.parts, MAX_OBJECTS)
            waiting.extend(((*path, label) if label else path, part) for label, part in parts if not _is_atom(part))


def _only_atoms(value: object) -> bool:
    """Return whether a container, which may be long, holds only atoms."""
    if type(value) is dict:
        return _only_atoms(value.keys()) and _only_atoms(value.values())
    return type(value) in LISTED_TYPES and ATOMS.issuperset(map(type, islice(value, MAX_OBJECTS)))  # type: ignore[call-overload]


def _is_atom(part: object) -> bool:
    """Return whether a part is an atom, or a pair of two atoms."""
    return type(part) in ATOMS or (type(part) is KeyValue and ATOMS.issuperset(map(type, part)))


class WalkedFlow(NamedTuple):
    """A flow and all objects that it reaches, from one walk that all users share."""

    found: FoundFlow
    reached: list[ReachedObject]


def walk_flow(found: FoundFlow, *, visit_plain_data: bool = True) -> WalkedFlow:
    """Walk over a flow and the setup cells.

    The result keeps the objects that pickling methods returned. `visit_plain_data` as in `reach`.
    """
    roots = [(found.flow, found.variable), *((compile_cell(cell), "setup cell") for cell in list_setup_cells())]
    return WalkedFlow(
        found,
        [each for root, name in roots for each in iterate_reachable(root, name, visit_plain_data=visit_plain_data)],
    )


def is_variable(step: str) -> bool:
    """Return whether a step of a path is the name of a variable, not an attribute, index or default."""
    return not step.startswith((".", "[", "("))


def type_name(value: object) -> str:
    """Format the type of an object for messages."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def format_path(path: tuple[str, ...]) -> str:
    """Format a path for messages: `main -> helper -> client.session`."""
    steps = (step if step.startswith((".", "[")) else f" -> {step}" for step in path[1:])
    return path[0] + "".join(steps)
