"""Walks once over all that a flow reaches, and says what would travel with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from types import FunctionType

from prefect.task_runners import ThreadPoolTaskRunner

from satflow_ext.credentials.shapes import LONGEST, credential
from satflow_ext.errors import CannotPickle, ContentTooLarge, InvalidInclude
from satflow_ext.kernel import body, refusals
from satflow_ext.kernel.carried import Carrier, carrier
from satflow_ext.kernel.choose import choose
from satflow_ext.kernel.find import AnyFlow, Found, Shell
from satflow_ext.kernel.included import matching, notebook_folder
from satflow_ext.kernel.pair import Pair
from satflow_ext.kernel.preflight.live_objects import live
from satflow_ext.kernel.reach import ENOUGH, Reached, Whole, spell, type_name, walk
from satflow_ext.kernel.uses import uses
from satflow_ext.models import Captured, Finding, Included, Preflight

MOST = 50
"""The most things that are listed of one sort."""


def preflight(
    flow: AnyFlow | str,
    *,
    namespace: Mapping[str, object],
    shell: Shell | None = None,
    include: Sequence[str] = (),
    limit: int,
) -> Preflight:
    """The report on a flow of this kernel. Nothing is sent, and nothing of it is kept.

    Args:
        flow: the flow, its variable or its name.
        namespace: where the flow lives.
        shell: the IPython shell, which knows the notebook's folder.
        include: data files that are to travel with it, as patterns relative to that folder.
        limit: the largest pickle, in bytes; and as much for all data files together.

    Raises:
        FlowNotFound: no such flow.
        FlowAmbiguous: several flows have that name.
    """
    found = choose(flow, namespace)
    whole = walk(found)
    everything, carried = whole.reached, carrier(whole)
    size, refused = _size(whole, carried, limit)
    files, unfit = _files(include, notebook_folder(shell), limit)
    findings = [*islice(_live_objects(everything), MOST), *islice(_credentials(everything), MOST), *_replaced(found)]
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
        files=files,
        findings=(*findings, *unfit),
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
        return None, Finding.of(error, "size", found.variable)
    except CannotPickle as error:
        return None, Finding.of(error, "live object", found.variable)
    except OSError as error:  # nowhere takes everything: something that the flow reaches raised it
        return None, Finding.of(refusals.cannot_pickle(whole, error), "live object", found.variable)


def _files(include: Sequence[str], folder: Path, limit: int) -> tuple[tuple[Included, ...], tuple[Finding, ...]]:
    """The data files that patterns name, the biggest first, and why they cannot travel."""
    try:
        found = matching(include, folder, limit)
    except (InvalidInclude, ContentTooLarge) as error:
        return (), (Finding.of(error, "file", "include"),)
    sizes = [Included(path=place, size=file.stat().st_size) for place, file in found.items()]
    return tuple(sorted(sizes, key=lambda each: (-each.size, each.path))), ()


def _replaced(found: Found) -> Iterator[Finding]:
    """The flow's own task runner, which gives way to the executor that is chosen for the deployment."""
    own: object = found.flow.task_runner
    usual: object = ThreadPoolTaskRunner()
    if type(own) is type(usual) and _threads(own) == _threads(usual):
        return
    yield Finding(
        kind="task runner",
        level="warning",
        where=found.variable,
        message=f"the flow's own {type(own).__name__} is not used: the executor says how its tasks run",
        fix="Choose the executor that does the same.",
    )


def _threads(runner: object) -> object:
    """The number that it was made with; Prefect has no public name for it."""
    return getattr(runner, "_max_workers", None)


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
