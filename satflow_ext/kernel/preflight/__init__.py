"""The pre-flight report: the captured objects of a flow, and the findings about them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from satflow_ext.errors import CannotPickle, ContentTooLarge, InvalidInclude
from satflow_ext.kernel import content_body, refusals
from satflow_ext.kernel.carried import FlowWithModules, add_local_modules
from satflow_ext.kernel.flow_discovery import AnyFlow, Shell, find_flow
from satflow_ext.kernel.included import match_files, notebook_folder
from satflow_ext.kernel.preflight.findings import MAX_FINDINGS
from satflow_ext.kernel.preflight.search import find_findings
from satflow_ext.kernel.reachable_objects import ReachedObject, WalkedFlow, format_path, walk_flow
from satflow_ext.kernel.task_runners import describe_task_runner
from satflow_ext.kernel.used_distributions import list_distributions, used_modules
from satflow_ext.models import Captured, Finding, Included, Preflight

__all__ = ["create_report"]


def create_report(
    flow: AnyFlow | str,
    *,
    namespace: Mapping[str, object],
    shell: Shell | None = None,
    include: Sequence[str] = (),
    limit: int,
) -> Preflight:
    """Return the report on a flow of this kernel. Nothing is sent or stored.

    Args:
        flow: the flow, its variable or its name.
        namespace: the namespace that defines the flow.
        shell: the IPython shell, from which the notebook's folder is read.
        include: data files to pack with the flow, as patterns relative to that folder.
        limit: the maximum size of the pickle in bytes, and separately of all data files together.

    Raises:
        FlowNotFound: no such flow exists.
        FlowAmbiguous: several flows have this name.
    """
    found = find_flow(flow, namespace)
    whole = walk_flow(found)
    everything, carried = whole.reached, add_local_modules(whole)
    size, refused = _measure_pickle(whole, carried, limit)
    folder = notebook_folder(shell)
    files, unfit = _match_included(include, folder, limit)
    modules = used_modules(everything)
    findings = find_findings(everything, shell, modules, folder, included={file.path for file in files})
    if refused is not None and not any(finding.level == "error" for finding in findings):
        findings.insert(0, refused)
    return Preflight(
        flow=found.flow.name,
        task_runner=describe_task_runner(found.flow),
        size=size,
        captured=tuple(_list_captured(whole)),
        local_modules=tuple(
            sorted({*_list_local_modules(everything), *(path.partition("/")[0] for path in carried.sources)})
        ),
        packages=list_distributions(modules),
        files=files,
        findings=(*findings, *unfit),
        rehearsed=None,
    )


def _measure_pickle(whole: WalkedFlow, carried: FlowWithModules, limit: int) -> tuple[int | None, Finding | None]:
    """Return the size of the pickle, or the finding that explains why the flow cannot be pickled."""
    found = whole.found
    try:
        refusals.refuse_setup_cells(whole)
        refusals.refuse_lost_names(whole)
        with open(os.devnull, "wb") as nowhere:
            return content_body.write_pickle(found, carried, nowhere, limit), None
    except ContentTooLarge as error:
        return None, Finding.from_error(error, "size", found.variable)
    except CannotPickle as error:
        return None, Finding.from_error(error, "live object", found.variable)
    except OSError as error:  # the null device accepts all data, so an object that the flow reaches raised it
        return None, Finding.from_error(refusals.pickle_error(whole, error), "live object", found.variable)


def _match_included(
    include: Sequence[str], folder: Path, limit: int
) -> tuple[tuple[Included, ...], tuple[Finding, ...]]:
    """Return the data files that match patterns, largest first, or the finding that explains why they cannot be packed."""
    try:
        found = match_files(include, folder, limit)
    except (InvalidInclude, ContentTooLarge) as error:
        return (), (Finding.from_error(error, "file", "include"),)
    sizes = [Included(path=place, size=file.stat().st_size) for place, file in found.items()]
    return tuple(sorted(sizes, key=lambda each: (-each.size, each.path))), ()


def _list_captured(whole: WalkedFlow) -> Iterator[Captured]:
    for path, value, size in refusals.largest_variables(whole, MAX_FINDINGS):
        if size:
            yield Captured(where=format_path(path), type=type(value).__qualname__, size=size)


def _list_local_modules(everything: list[ReachedObject]) -> Iterator[str]:
    for reached in everything:
        module = getattr(reached.value, "__module__", None)
        if reached.view.kind == "local module":
            yield str(reached.view.facts[0])
        elif reached.view.kind in ("function", "class") and module not in (None, "__main__"):
            yield str(module)
