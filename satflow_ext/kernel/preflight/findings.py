"""Findings about objects that a flow reaches: live objects of this process, and values that look like credentials."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from types import FunctionType

from satflow_ext.credentials.shapes import LONGEST, credential
from satflow_ext.kernel import refusals
from satflow_ext.kernel.key_value import Pair
from satflow_ext.kernel.object_views import look
from satflow_ext.kernel.plain_data import CONTAINERS
from satflow_ext.kernel.preflight.live_objects import live
from satflow_ext.kernel.reachable_objects import ENOUGH, Reached, spell, type_name
from satflow_ext.models import Finding

MOST = 50
"""Maximum number of findings of one kind."""
PLAIN_VALUES = 1000
"""Maximum number of values to check per container of plain data."""


def find_in(everything: Iterable[Reached], *, texts: int | None = None) -> Iterator[Finding]:
    """Find live objects, then credentials.

    Args:
        everything: all objects that the flow reaches.
        texts: the maximum number of texts to compare with the shapes of credentials (default: all).
    """
    yield from islice(_live_objects(everything), MOST)
    yield from islice(_credentials(everything, texts), MOST)


def _live_objects(everything: Iterable[Reached]) -> Iterator[Finding]:
    for reached in everything:
        problem, path = reached.view.problem, spell(reached.path)
        kind = live(reached)
        if kind is None and not problem:
            continue
        words = kind.words if kind else f"cannot be pickled: {problem}"
        yield Finding(
            kind="live object",
            level="error" if problem else "warning",
            where=path,
            message=f"{words} ({type_name(reached.value)})",
            fix=kind.fix if kind else refusals.INSIDE,
        )


def _credentials(everything: Iterable[Reached], texts: int | None) -> Iterator[Finding]:
    """Yield findings for captured texts and bytes that look like credentials. A message never contains the text itself."""
    found: set[tuple[str, ...]] = set()
    for path, text in islice(chain.from_iterable(map(texts_of, everything)), texts):
        if path not in found and (what := credential(text, path[-1])):
            found.add(path)
            fix = "Declare it by name (secrets) and read it from os.environ when the flow runs."
            yield Finding(kind="credential", level="warning", where=spell(path), message=f"looks like {what}", fix=fix)


def texts_of(reached: Reached) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (path, text) for the texts directly inside an object; for plain data, the first texts on all levels."""
    if reached.plain:
        yield from _plain_texts(reached)
        return
    if reached.view.buffer is not None:
        yield reached.path, bytes(reached.view.buffer[:LONGEST]).decode("latin-1")
    for label, part in chain(islice(reached.view.parts, ENOUGH), _defaults(reached.value)):
        value = part[1] if type(part) is Pair else part
        if type(value) is str and label != "(default)":
            yield ((*reached.path, label) if label else reached.path), value


def _plain_texts(reached: Reached) -> Iterator[tuple[tuple[str, ...], str]]:
    waiting = deque(islice(_inside(reached.path, reached.value), PLAIN_VALUES))
    for _ in range(PLAIN_VALUES):
        if not waiting:
            return
        path, value = waiting.popleft()
        if type(value) is str:
            yield path, value
        elif type(value) in CONTAINERS:
            waiting.extend(islice(_inside(path, value), PLAIN_VALUES - len(waiting)))


def _inside(path: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], object]]:
    for label, part in look(value).parts:
        yield (*path, label) if label else path, part[1] if type(part) is Pair else part


def _defaults(value: object) -> Iterator[tuple[str, object]]:
    """Yield positional defaults by the names of their parameters, which are clearer than positions."""
    if isinstance(value, FunctionType) and value.__defaults__:
        names = value.__code__.co_varnames[: value.__code__.co_argcount]
        for name, default in zip(names[-len(value.__defaults__) :], value.__defaults__, strict=True):
            yield f"(default {name})", default
