"""Why a flow cannot travel, in words that name the variable."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import islice

from satflow_ext.errors import CannotPickle, ContentTooLarge
from satflow_ext.kernel.find import Found
from satflow_ext.kernel.pickler import dump
from satflow_ext.kernel.reach import Reached, reach, spell
from satflow_ext.kernel.sizes import MIB, size_text

LARGEST = 5
SHELL = "get_ipython"


def cannot_pickle(found: Found, error: BaseException | None) -> CannotPickle:
    """The error that names what cannot be pickled, and the way the flow reaches it."""
    reached = culprit(found) or _by_trying(found)
    name = found.flow.name
    if reached is not None and SHELL in reached.path:
        return _uses_the_shell(name, reached.path[: reached.path.index(SHELL) + 1])
    fix = "Create it inside the flow or a task instead of using a global one."
    if reached is None:
        return CannotPickle(f"Flow {name!r} cannot be pickled: {error}.", fix=fix)
    kind = f"{type(reached.value).__module__}.{type(reached.value).__qualname__}".removeprefix("builtins.")
    why = reached.view.problem or str(error)
    fix = "Give them defaults." if reached.view.kind == "class" else fix
    return CannotPickle(f"Flow {name!r} cannot be pickled: {spell(reached.path)} ({kind}): {why}.", fix=fix)


def _uses_the_shell(name: str, path: tuple[str, ...]) -> CannotPickle:
    return CannotPickle(
        f"Flow {name!r} cannot travel: {spell(path)} is the notebook itself, which a magic or a ! command in a function needs.",
        fix="Write it as Python, such as subprocess.run, or move the line out of the function.",
    )


def culprit(found: Found) -> Reached | None:
    """The nearest thing that refuses to be pickled."""
    return next((reached for reached in reach(found.flow, found.variable) if reached.view.problem), None)


def lost_name(found: Found) -> Reached | None:
    """The nearest thing that would be pickled and could not be read: a name that no other process knows, or such a class."""
    reaching = reach(found.flow, found.variable)
    return next((each for each in reaching if each.view.kind in ("name", "class") and each.view.problem), None)


def too_large(found: Found, limit: int) -> ContentTooLarge:
    """The error that lists the largest values, by the variable that leads to them."""
    listed = ", ".join(f"{spell(path)} ({size_text(size)})" for path, _, size in largest(found, LARGEST))
    return ContentTooLarge(
        f"Flow {found.flow.name!r} and what it uses are larger than {size_text(limit)}. The largest: {listed}.",
        fix="Load large data inside the flow, or raise `content_limit` in the settings.",
    )


def largest(found: Found, count: int) -> list[tuple[tuple[str, ...], object, int]]:
    """The variables that lead to most data: path, value, and about how many bytes; largest first."""
    sizes: dict[tuple[str, ...], int] = {}
    values: dict[tuple[str, ...], object] = {}
    for reached in reach(found.flow, found.variable):
        variable = _variable(reached.path)
        values.setdefault(variable, reached.value)
        sizes[variable] = sizes.get(variable, 0) + _own_size(reached)
    most = sorted(sizes, key=lambda path: -sizes[path])[:count]
    return [(path, values[path], sizes[path]) for path in most]


def _variable(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path up to its last variable."""
    length = max(index for index, step in enumerate(path) if not step.startswith((".", "[", "(")))
    return path[: length + 1]


def _own_size(reached: Reached) -> int:
    """Bytes of raw data and of text; of a long container an estimate from its first thousand."""
    if reached.view.buffer is not None:
        return reached.view.buffer.nbytes
    values = [part for _, part in islice(reached.view.parts, 1000)]
    atoms = sum(_atom_size(each) for each in _flat(values))
    length = reached.view.facts[0] if reached.view.facts else 0
    return int(atoms * (length / 1000 if isinstance(length, int) and length > 1000 else 1))


def _flat(values: Iterable[object]) -> list[object]:
    return [each for value in values for each in (value if isinstance(value, tuple) else (value,))]


def _atom_size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    return 9 if isinstance(value, (int, float)) else 0


def _by_trying(found: Found) -> Reached | None:
    """The first variable that fails when it is pickled alone: for objects that say yes and then fail."""
    for reached in reach(found.flow, found.variable):
        if len(reached.path) > 1 and not reached.path[-1].startswith((".", "[", "(")):
            try:
                dump(reached.value, io.BytesIO(), 64 * MIB)
            except Exception as error:  # the object's own code, which may raise anything
                return Reached(reached.path, reached.value, reached.view._replace(problem=str(error)))
    return None
