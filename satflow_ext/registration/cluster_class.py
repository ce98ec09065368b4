"""Check that the class of a cluster provider exists where the flow will run and accepts its arguments; list these arguments."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from pydantic import ValidationError

from satflow_ext import cluster_providers
from satflow_ext.cluster_providers.provider import BACKEND_FIELD, OPTIONS_FIELD
from satflow_ext.cluster_providers.signature import ClassCheck
from satflow_ext.errors import (
    BadRequest,
    ClusterFailed,
    ExtraMissing,
    InvalidExecutorOption,
    SatflowError,
    UnknownBackEnd,
)
from satflow_ext.executors import ResolvedExecutor
from satflow_ext.models import ClusterClass
from satflow_ext.registration.clean_process import FinishedProcess, ProcessStopped, run_module
from satflow_ext.settings import Settings

CHECK_MODULE = "satflow_ext.cluster_providers.check_class"
FORM_MODULE = "satflow_ext.cluster_providers.class_form"
MAX_IMPORT_SECONDS = 60.0
"""Maximum time in seconds for the import of a class."""


async def check_class(executor: ResolvedExecutor, interpreter: Path | None, settings: Settings, *, local: bool) -> None:
    """Refuse a cluster provider whose class is missing in the interpreter of flow runs or does not accept its options.

    Args:
        executor: the executor of the flow runs.
        interpreter: the interpreter of flow runs; None if it is unknown on this machine, and then the class is not checked.
        settings: worker sizes.
        local: whether runs happen on this machine; then the cluster provider itself is checked as well.

    Raises:
        UnknownBackEnd: the class cannot be imported.
        ExtraMissing: a package that the cluster provider needs is not installed.
        InvalidExecutorOption: the class has no such keyword argument, or requires another one.
        SizeRefused: the cluster provider has no worker of that size.
        ClusterFailed: the cluster provider does not answer.
    """
    request, back_end = executor.request, executor.provider
    if request is None or back_end is None:
        return
    if interpreter is not None and back_end.cluster_class:
        _refuse_unfit_class(
            await _inspect_class(interpreter, back_end.cluster_class, list(back_end.make_arguments(request))), back_end
        )
    if local:
        await asyncio.to_thread(back_end.check_availability, request, settings)


async def read_class_form(name: str, interpreter: Path, *, limit: float = MAX_IMPORT_SECONDS) -> ClusterClass:
    """Read the arguments that the class of a cluster provider accepts, with that interpreter.

    Raises:
        UnknownBackEnd: there is no such cluster provider, or its class cannot be imported.
        ExtraMissing: a package that the cluster provider needs is not installed.
        BadRequest: the cluster provider has no class.
        ClusterFailed: the import took longer than `limit` seconds, or was killed.
    """
    back_end = cluster_providers.find_provider(name)
    if not back_end.cluster_class:
        raise BadRequest(f"{back_end.subject} has no class.", fix="Choose another cluster provider.", field="name")
    done = await _run_class_module(interpreter, limit, FORM_MODULE, name)
    try:
        return ClusterClass.model_validate_json(_last_line(done.output))
    except ValidationError:
        raise _missing_class_error(back_end, done.reason) from None


async def _inspect_class(interpreter: Path, path: str, names: list[str]) -> ClassCheck:
    done = await _run_class_module(interpreter, MAX_IMPORT_SECONDS, CHECK_MODULE, path, *names)
    try:
        return ClassCheck.model_validate_json(_last_line(done.output))
    except ValidationError:
        return ClassCheck(outcome="missing", details=(done.reason,))


async def _run_class_module(
    interpreter: Path, limit: float, module: str, name: str, *arguments: str
) -> FinishedProcess:
    """Run a module of SatFlow with that interpreter; the module imports the class of that name.

    Raises:
        ClusterFailed: the process took too long, or was killed.
    """
    with tempfile.TemporaryDirectory() as folder:  # Python also imports from the working folder: not the notebook's
        try:
            return await run_module(str(interpreter), module, name, *arguments, folder=folder, limit=limit)
        except ProcessStopped as stopped:
            raise ClusterFailed(
                f"The process that imports {name} did not finish: {stopped.reason}.",
                fix=stopped.fix,
                field=BACKEND_FIELD,
            ) from None


def _last_line(output: bytes) -> bytes:
    """Return the last line of the output; an import may print text before it."""
    return output.strip().rpartition(b"\n")[2]


def _refuse_unfit_class(inspection: ClassCheck, provider: cluster_providers.ClusterProvider) -> None:
    if inspection.outcome == "missing":
        raise _missing_class_error(provider, inspection.details[0])
    if inspection.outcome != "fits":
        verb = "does not accept" if inspection.outcome == "unknown" else "requires"
        raise InvalidExecutorOption(
            f"{provider.name} {verb} {', '.join(inspection.details)}.",
            fix=f"It accepts {', '.join(name for name in inspection.accepted if name not in provider.owned_arguments)}.",
            field=OPTIONS_FIELD,
        )


def _missing_class_error(provider: cluster_providers.ClusterProvider, reason: str) -> SatflowError:
    if provider.install:
        fix = f"{provider.install}."
        return ExtraMissing(f"{provider.subject} is not installed: {reason}.", fix=fix, field=BACKEND_FIELD)
    fix = "Install its package where the flow runs, or correct its name (module:Class)."
    return UnknownBackEnd(f"{provider.subject} cannot be imported: {reason}.", fix=fix, field=BACKEND_FIELD)
