"""Packing of a live flow: a private file with its pickle, and a description of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from satflow_ext.environments.installed import read_environment
from satflow_ext.kernel import content_body as bodies
from satflow_ext.kernel import refusals
from satflow_ext.kernel.carried import FlowWithModules, add_local_modules
from satflow_ext.kernel.describe import FlowDescriber
from satflow_ext.kernel.fingerprint import compute_fingerprint
from satflow_ext.kernel.flow_discovery import AnyFlow, FoundFlow, Shell, find_flow
from satflow_ext.kernel.included import copy_included_files, notebook_folder
from satflow_ext.kernel.parameters import convert_schedule_values, convert_values
from satflow_ext.kernel.preflight.search import find_findings
from satflow_ext.kernel.reachable_objects import walk_flow
from satflow_ext.kernel.source import code_files, collect_source
from satflow_ext.kernel.used_distributions import list_distributions, used_modules
from satflow_ext.models import CarriedFile, Finding, HookKind, PackedFlow
from satflow_ext.parameter_values.text import GivenParameters

MAX_TEXTS = 5000
"""Maximum number of texts to compare with the shapes of credentials, which takes a few dozen milliseconds."""


class _WalkResult(NamedTuple):
    """The results of one walk over a flow."""

    carrier: FlowWithModules
    uses: tuple[str, ...]
    code_files: list[str]
    warnings: tuple[Finding, ...]


def pack_flow(
    flow: AnyFlow | str,
    directory: Path,
    *,
    namespace: Mapping[str, object],
    shell: Shell | None = None,
    parameter_values: Mapping[str, Any] | None = None,
    parameter_texts: Mapping[str, str] | None = None,
    schedules: Sequence[GivenParameters] = (),
    include: Sequence[str] = (),
    limit: int,
) -> PackedFlow:
    """Pickle a flow with all objects of the notebook and of local modules that it reaches.

    Args:
        flow: the flow, its variable or its name.
        directory: a private folder for the file; the caller deletes it.
        namespace: the namespace that defines the flow.
        shell: the IPython shell, for the texts of the cells.
        parameter_values: values for parameters, JSON or of the parameters' own types.
        parameter_texts: values for other parameters as text.
        schedules: the parameters of each schedule.
        include: data files to pack with the flow, as patterns relative to the notebook's folder.
        limit: the maximum size of the pickle in bytes, and separately of all data files together.

    Raises:
        FlowNotFound: no such flow exists.
        FlowAmbiguous: several flows have this name.
        InvalidParameter: a value does not fit its parameter.
        InvalidInclude: data files cannot be packed.
        ContentTooLarge: the pickle or the data files are larger than `limit`.
        CannotPickle: an object that the flow reaches cannot be packed.
    """
    found = find_flow(flow, namespace)
    stored = convert_values(found.flow, parameter_values or {}, parameter_texts or {}, require_all=False)
    schedule_parameters = convert_schedule_values(found.flow, schedules, stored)
    seen = _inspect_flow(found, shell)
    body, size = _write_body(found, seen.carrier, directory, limit)
    try:
        files = copy_included_files(include, notebook_folder(shell), directory, limit)
        return PackedFlow(
            flow=FlowDescriber().describe_flows([found], shell)[0],
            parameters=stored,
            schedule_parameters=schedule_parameters,
            body=str(body),
            size=size,
            exact=_exact_fingerprint(seen.carrier, files),
            environment=read_environment(),
            uses=seen.uses,
            source=collect_source(seen.code_files, shell, seen.carrier.sources),
            files=files,
            hooks=tuple(kind for kind in get_args(HookKind) if getattr(found.flow, f"{kind}_hooks", None)),
            warnings=_remove_included(seen.warnings, files),
        )
    except BaseException:
        body.unlink(missing_ok=True)
        raise


def _inspect_flow(found: FoundFlow, shell: Shell | None) -> _WalkResult:
    """Walk over a flow, and discard the temporary objects of its pickling methods, which may be as large as its data."""
    everything = walk_flow(found, visit_plain_data=False)
    modules = used_modules(everything.reached)
    found_there = find_findings(everything.reached, shell, modules, notebook_folder(shell), texts=MAX_TEXTS)
    warnings = tuple(finding for finding in found_there if finding.level == "warning")
    seen = _WalkResult(
        add_local_modules(everything), list_distributions(modules), code_files(everything.reached), warnings
    )
    refusals.refuse_setup_cells(everything)
    refusals.refuse_lost_names(everything)
    refusals.refuse_load_failures(everything)
    return seen


def _remove_included(warnings: tuple[Finding, ...], files: tuple[CarriedFile, ...]) -> tuple[Finding, ...]:
    """Remove warnings about files that are included, which is not known during the walk."""
    included = {file.path for file in files}
    return tuple(finding for finding in warnings if finding.kind != "file" or finding.where not in included)


def _exact_fingerprint(carrier: FlowWithModules, files: tuple[CarriedFile, ...]) -> str:
    """Return the exact fingerprint of the flow, its sources, modules and data files."""
    flow, sources, named = carrier.flow, carrier.sources, {file.path: file.digest for file in files}
    return compute_fingerprint((flow, sources, carrier.modules, named) if sources or named else flow, exact=True)


def _write_body(found: FoundFlow, carrier: FlowWithModules, directory: Path, limit: int) -> tuple[Path, int]:
    """Pickle a flow into a new file that only its owner can read; remove the file after an error."""
    body = directory / f"flow-{secrets.token_hex(8)}.pkl"
    descriptor = os.open(body, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            return body, bodies.write_pickle(found, carrier, file, limit)
    except BaseException:
        body.unlink(missing_ok=True)
        raise
