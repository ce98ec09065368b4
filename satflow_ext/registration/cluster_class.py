"""Check that the class of a cluster provider exists where the flow will run and accepts its arguments; list these arguments."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from pydantic import ValidationError

from satflow_ext import backends
from satflow_ext.backends.base import BACKEND_FIELD, OPTIONS_FIELD
from satflow_ext.backends.check_class import Look
from satflow_ext.errors import (
    BadRequest,
    ClusterFailed,
    ExtraMissing,
    InvalidExecutorOption,
    SatflowError,
    UnknownBackEnd,
)
from satflow_ext.executors import dask_cluster
from satflow_ext.executors.dask_cluster_options import DaskClusterOptions
from satflow_ext.models import ClusterClass, ExecutorChoice
from satflow_ext.registration.clean_process import Finished, ProcessStopped, run_module
from satflow_ext.settings import Settings

LOOK = "satflow_ext.backends.check_class"
FORM = "satflow_ext.backends.class_form"
LONGEST = 60.0
"""Maximum time in seconds for the import of a class."""


async def check_class(executor: ExecutorChoice, interpreter: Path | None, settings: Settings, *, local: bool) -> None:
    """Refuse a cluster provider whose class is missing in the interpreter of flow runs or does not accept its options.

    Args:
        executor: the choice, with every option filled in.
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
    if executor.name != dask_cluster.DASK_CLUSTER.name:
        return
    options = DaskClusterOptions.model_validate(executor.options)
    if options.backend == backends.GATEWAY:
        return
    back_end, asked = backends.named(options.backend), dask_cluster.asked(options, settings)
    if interpreter is not None:
        _judge(await _ask(interpreter, back_end.cluster_class, list(back_end.arguments(asked))), back_end)
    if local:
        await asyncio.to_thread(back_end.check, asked, settings)


async def form_of(name: str, interpreter: Path, *, limit: float = LONGEST) -> ClusterClass:
    """Read the arguments that the class of a cluster provider accepts, with that interpreter.

    Raises:
        UnknownBackEnd: there is no such cluster provider, or its class cannot be imported.
        ExtraMissing: a package that the cluster provider needs is not installed.
        BadRequest: the cluster provider is a Dask Gateway, which has no class.
        ClusterFailed: the import took longer than `limit` seconds, or was killed.
    """
    if name == backends.GATEWAY:
        raise BadRequest("A Dask Gateway has no class.", fix="Choose another cluster provider.", field="name")
    back_end = backends.named(name)
    done = await _asked(interpreter, limit, FORM, name)
    try:
        return ClusterClass.model_validate_json(_last_line(done.output))
    except ValidationError:
        raise _missing(back_end, done.reason) from None


async def _ask(interpreter: Path, path: str, names: list[str]) -> Look:
    done = await _asked(interpreter, LONGEST, LOOK, path, *names)
    try:
        return Look.model_validate_json(_last_line(done.output))
    except ValidationError:
        return Look(outcome="missing", said=(done.reason,))


async def _asked(interpreter: Path, limit: float, module: str, name: str, *words: str) -> Finished:
    """Run a module of SatFlow with that interpreter; the module imports the class of that name.

    Raises:
        ClusterFailed: the process took too long, or was killed.
    """
    with tempfile.TemporaryDirectory() as folder:  # Python also imports from the working folder: not the notebook's
        try:
            return await run_module(str(interpreter), module, name, *words, folder=folder, limit=limit)
        except ProcessStopped as stopped:
            raise ClusterFailed(
                f"The process that imports {name} did not finish: {stopped.why}.", fix=stopped.fix, field=BACKEND_FIELD
            ) from None


def _last_line(said: bytes) -> bytes:
    """Return the last line of the output; an import may print text before it."""
    return said.strip().rpartition(b"\n")[2]


def _judge(look: Look, back_end: backends.BackEnd) -> None:
    if look.outcome == "missing":
        raise _missing(back_end, look.said[0])
    if look.outcome != "fits":
        verb = "does not accept" if look.outcome == "unknown" else "requires"
        raise InvalidExecutorOption(
            f"{back_end.name} {verb} {', '.join(look.said)}.",
            fix=f"It accepts {', '.join(name for name in look.known if name not in back_end.owned)}.",
            field=OPTIONS_FIELD,
        )


def _missing(back_end: backends.BackEnd, why: str) -> SatflowError:
    if back_end.install:
        fix = f"{back_end.install}."
        return ExtraMissing(
            f"The cluster provider {back_end.name} is not installed: {why}.", fix=fix, field=BACKEND_FIELD
        )
    fix = "Install its package where the flow runs, or correct its name (module:Class)."
    return UnknownBackEnd(
        f"The cluster provider {back_end.name} cannot be imported: {why}.", fix=fix, field=BACKEND_FIELD
    )
