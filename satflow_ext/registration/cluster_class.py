"""Whether the class of a back end is there where the flow will run, and takes what it will be told."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from satflow_ext import backends
from satflow_ext.backends.look import Look
from satflow_ext.errors import ExtraMissing, InvalidExecutorOption, UnknownBackEnd
from satflow_ext.executors import dask_cluster
from satflow_ext.models import ExecutorChoice
from satflow_ext.registration.rehearsal import NOTEBOOKS_OWN
from satflow_ext.settings import Settings

MODULE = "satflow_ext.backends.look"
BACKEND = "executor.options.backend"
LONGEST = 60.0
"""Seconds that a class may take to be imported."""


async def check_class(executor: ExecutorChoice, interpreter: Path | None, settings: Settings, *, local: bool) -> None:
    """Refuse a back end whose class the interpreter of flow runs does not have, or that does not take its options.

    Args:
        executor: the choice, with every option filled in.
        interpreter: the one that runs will have; None where nobody here knows it, and then it is not asked.
        settings: worker sizes.
        local: whether runs happen on this machine; then what gives the cluster is asked for it as well.

    Raises:
        UnknownBackEnd: the class cannot be imported.
        ExtraMissing: what the back end needs is not installed.
        InvalidExecutorOption: the class has no such keyword argument, or lacks one.
        SizeRefused: the back end has nothing that big.
        ClusterFailed: what gives the cluster does not answer.
    """
    if executor.name != dask_cluster.DASK_CLUSTER.name:
        return
    options = dask_cluster.DaskClusterOptions.model_validate(executor.options)
    if options.backend == backends.GATEWAY:
        return
    back_end, asked = backends.named(options.backend), dask_cluster.asked(options, settings)
    if interpreter is not None:
        _judge(await _ask(interpreter, back_end.cluster_class, list(back_end.arguments(asked))), back_end)
    if local:
        await asyncio.to_thread(back_end.check, asked, settings)


async def _ask(interpreter: Path, path: str, names: list[str]) -> Look:
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(str(interpreter), "-m", MODULE, path, *names),
            cwd=folder,  # Python looks for modules where it runs: not where the notebook lies
            env={name: value for name, value in os.environ.items() if name not in NOTEBOOKS_OWN},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), LONGEST)
            return Look.model_validate_json(said.strip().rpartition(b"\n")[2])
        except asyncio.TimeoutError:
            return Look(outcome="missing", said=(f"it was not imported after {LONGEST:g} s",))
        except ValidationError:
            return Look(outcome="missing", said=(f"Python ended with code {process.returncode}",))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _judge(look: Look, back_end: backends.BackEnd) -> None:
    if look.outcome == "missing" and back_end.install:
        fix = f"{back_end.install}."
        raise ExtraMissing(f"The back end {back_end.name} is not there: {look.said[0]}.", fix=fix, field=BACKEND)
    if look.outcome == "missing":
        fix = "Install its package where the flow runs, or correct its name: module:Class."
        raise UnknownBackEnd(f"There is no {back_end.name}: {look.said[0]}.", fix=fix, field=BACKEND)
    if look.outcome != "fits":
        verb = "does not take" if look.outcome == "unknown" else "needs"
        raise InvalidExecutorOption(
            f"{back_end.name} {verb} {', '.join(look.said)}.",
            fix=f"It takes {', '.join(name for name in look.known if name not in back_end.owned)}.",
            field="executor.options.backend_options",
        )
