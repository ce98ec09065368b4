"""Walks once over all that a flow reaches, and says what would travel with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from types import FunctionType

from satflow_ext.errors import CannotPickle, ContentTooLarge, SatflowError
from satflow_ext.kernel import body, refusals
from satflow_ext.kernel.carried import Carrier, carrier
from satflow_ext.kernel.choose import choose
from satflow_ext.kernel.find import AnyFlow, Found
from satflow_ext.kernel.pair import Pair
from satflow_ext.kernel.preflight.credentials import LONGEST, credential
from satflow_ext.kernel.preflight.live_objects import live
from satflow_ext.kernel.reach import ENOUGH, Reached, Whole, spell, type_name, walk
from satflow_ext.kernel.uses import uses
from satflow_ext.models import Captured, Finding, FindingKind, Preflight

MOST = 50
"""The most things that are listed of one sort."""


def preflight(flow: AnyFlow | str, *, namespace: Mapping[str, object], limit: int) -> Preflight:
    """The report on a flow of this kernel. Nothing is sent, and nothing of it is kept.

    Args:
        flow: the flow, its variable or its name.
        namespace: where the flow lives.
        limit: the largest pickle, in bytes.

    Raises:
        FlowNotFound: no such flow.
        FlowAmbiguous: several flows have that name.
    """
    found = choose(flow, namespace)
    whole = walk(found)
    everything, carried = whole.reached, carrier(whole)
    size, refused = _size(whole, carried, limit)
    findings = [*islice(_live_objects(everything), MOST), *islice(_credentials(everything), MOST)]
    if refused is not None and not any(finding.level == "error" for finding in findings):
        findings.insert(0, refused)
    return Preflight(
        flow=found.flow.name,
        size=size,
        captured=tuple(_captured(whole)),
        local_modules=tuple(
            sorted({*_local_modules(everything), *(path.partition("/")[0] for path in carried.sources)})
        ),
        packages=uses(everything),
        findings=tuple(findings),
        rehearsed=None,
    )


def _size(whole: Whole, carried: Carrier, limit: int) -> tuple[int | None, Finding | None]:
    """The pickle's size, and why there is none."""
    found = whole.found
    try:
        refusals.refuse_lost_names(whole)
        with open(os.devnull, "wb") as nowhere:
            return body.write(found, carried, nowhere, limit), None
    except ContentTooLarge as error:
        return None, _refusal("size", found, error)
    except CannotPickle as error:
        return None, _refusal("live object", found, error)
    except OSError as error:  # nowhere takes everything: something that the flow reaches raised it
        return None, _refusal("live object", found, refusals.cannot_pickle(whole, error))


def _refusal(kind: FindingKind, found: Found, error: SatflowError) -> Finding:
    return Finding(kind=kind, level="error", where=found.variable, message=error.message, fix=error.fix)


def _captured(whole: Whole) -> Iterator[Captured]:
    for path, value, size in refusals.largest(whole, MOST):
        if size:
            yield Captured(where=spell(path), type=type(value).__qualname__, size=size)


def _local_modules(everything: list[Reached]) -> Iterator[str]:
    for reached in everything:
        module = getattr(reached.value, "__module__", None)
        if reached.view.kind == "local module":
            yield str(reached.view.facts[0])
        elif reached.view.kind in ("function", "class") and module not in (None, "__main__"):
            yield str(module)


def _live_objects(everything: list[Reached]) -> Iterator[Finding]:
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


def _credentials(everything: list[Reached]) -> Iterator[Finding]:
    """Texts and bytes that would travel and look like credentials. The message says where and what, never the text."""
    told: set[tuple[str, ...]] = set()
    for reached in everything:
        for path, text in _texts(reached):
            if path not in told and (what := credential(text, path[-1])):
                told.add(path)
                fix = "Declare it by name (secrets) and read it from os.environ when the flow runs."
                yield Finding(
                    kind="credential", level="warning", where=spell(path), message=f"looks like {what}", fix=fix
                )


def _texts(reached: Reached) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts right inside one thing, each with its path."""
    if reached.view.buffer is not None:
        yield reached.path, bytes(reached.view.buffer[:LONGEST]).decode("latin-1")
    for label, part in chain(islice(reached.view.parts, ENOUGH), _defaults(reached.value)):
        value = part[1] if type(part) is Pair else part
        if type(value) is str and label != "(default)":
            yield ((*reached.path, label) if label else reached.path), value


def _defaults(value: object) -> Iterator[tuple[str, object]]:
    """Positional defaults by their parameters' names, which say more than their place."""
    if isinstance(value, FunctionType) and value.__defaults__:
        names = value.__code__.co_varnames[: value.__code__.co_argcount]
        for name, default in zip(names[-len(value.__defaults__) :], value.__defaults__, strict=True):
            yield f"(default {name})", default
