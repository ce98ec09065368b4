"""Findings about objects that a flow reaches: live objects of this process, and values that look like credentials."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from types import FunctionType

from satflow_ext.credentials.shapes import MAX_SEARCHED, detect_credential
from satflow_ext.kernel import refusals
from satflow_ext.kernel.key_value import KeyValue
from satflow_ext.kernel.object_views import view_object
from satflow_ext.kernel.plain_data import CONTAINERS
from satflow_ext.kernel.preflight.live_objects import live_object_kind
from satflow_ext.kernel.reachable_objects import MAX_OBJECTS, ReachedObject, format_path, type_name
from satflow_ext.models import Finding

MAX_FINDINGS = 50
"""Maximum number of findings of one kind."""
MAX_PLAIN_VALUES = 1000
"""Maximum number of values to check per container of plain data."""


def find_problems(everything: Iterable[ReachedObject], *, texts: int | None = None) -> Iterator[Finding]:
    """Find live objects, then credentials.

    Args:
        everything: all objects that the flow reaches.
        texts: the maximum number of texts to compare with the shapes of credentials (default: all).
    """
    yield from islice(_find_live_objects(everything), MAX_FINDINGS)
    yield from islice(_find_credentials(everything, texts), MAX_FINDINGS)


def _find_live_objects(everything: Iterable[ReachedObject]) -> Iterator[Finding]:
    for reached in everything:
        problem, path = reached.view.problem, format_path(reached.path)
        kind = live_object_kind(reached)
        if kind is None and not problem:
            continue
        words = kind.description if kind else f"cannot be pickled: {problem}"
        yield Finding(
            kind="live object",
            level="error" if problem else "warning",
            where=path,
            message=f"{words} ({type_name(reached.value)})",
            fix=kind.fix if kind else refusals.CREATE_INSIDE_FIX,
        )


def _find_credentials(everything: Iterable[ReachedObject], texts: int | None) -> Iterator[Finding]:
    """Yield findings for captured texts and bytes that look like credentials. A message never contains the text itself."""
    found: set[tuple[str, ...]] = set()
    for path, text in islice(chain.from_iterable(map(extract_texts, everything)), texts):
        if path not in found and (what := detect_credential(text, path[-1])):
            found.add(path)
            fix = "Declare it by name (secrets) and read it from os.environ when the flow runs."
            yield Finding(
                kind="credential", level="warning", where=format_path(path), message=f"looks like {what}", fix=fix
            )


def extract_texts(reached: ReachedObject) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (path, text) for the texts directly inside an object; for plain data, the first texts on all levels."""
    if reached.plain:
        yield from _extract_plain_texts(reached)
        return
    if reached.view.buffer is not None:
        yield reached.path, bytes(reached.view.buffer[:MAX_SEARCHED]).decode("latin-1")
    for label, part in chain(islice(reached.view.parts, MAX_OBJECTS), _named_defaults(reached.value)):
        value = part[1] if type(part) is KeyValue else part
        if type(value) is str and label != "(default)":
            yield ((*reached.path, label) if label else reached.path), value


def _extract_plain_texts(reached: ReachedObject) -> Iterator[tuple[tuple[str, ...], str]]:
    waiting = deque(islice(_contained_values(reached.path, reached.value), MAX_PLAIN_VALUES))
    for _ in range(MAX_PLAIN_VALUES):
        if not waiting:
            return
        path, value = waiting.popleft()
        if type(value) is str:
            yield path, value
        elif type(value) in CONTAINERS:
            waiting.extend(islice(_contained_values(path, value), MAX_PLAIN_VALUES - len(waiting)))


def _contained_values(path: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], object]]:
    for label, part in view_object(value).parts:
        yield (*path, label) if label else path, part[1] if type(part) is KeyValue else part


def _named_defaults(value: object) -> Iterator[tuple[str, object]]:
    """Yield positional defaults by the names of their parameters, which are clearer than positions."""
    if isinstance(value, FunctionType) and value.__defaults__:
        names = value.__code__.co_varnames[: value.__code__.co_argcount]
        for name, default in zip(names[-len(value.__defaults__) :], value.__defaults__, strict=True):
            yield f"(default {name})", default
