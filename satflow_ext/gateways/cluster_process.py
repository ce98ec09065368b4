"""Manage shared clusters in a process of its own, which reads no pickles.

Managing a cluster asks its scheduler, and distributed unpickles what a scheduler marks so, also where it is told not to
deserialize. A shared scheduler is another user's program: nothing that it sends may run code in a Jupyter server, nor in a kernel
or a command. One process per order: it is rare, and takes seconds by itself.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext import errors
from satflow_ext.errors import ClusterFailed, SatflowError
from satflow_ext.gateways.cluster_request import Wanted
from satflow_ext.models import ErrorBody
from satflow_ext.own_module import module_command, module_environment
from satflow_ext.settings import Settings

COMMAND = module_command("satflow_ext.gateways.cluster_manager")


class ClusterState(BaseModel):
    """How a shared cluster is: `workers` are its Dask workers that have connected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["none", "starting", "running"] = "none"
    workers: int = 0
    started: datetime | None = None


class ClusterCommand(BaseModel):
    """What to do with the cluster that a deployment's runs share.

    Args:
        verb: what to do; `read` changes nothing, and never starts a gateway.
        wanted: how the deployment's version wants the cluster.
        label: the deployment's id.
        settings: where gateways and locks are.
        workers: for `resize`: number of Dask workers, None where it follows the work.
        minimum: for `resize`: the least of them, where it does.
        maximum: for `resize`: the most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: Literal["read", "start", "resize", "restart", "close"]
    wanted: Wanted
    label: str
    settings: Settings
    workers: int | None = None
    minimum: int = 0
    maximum: int | None = None


class CommandResult(BaseModel):
    """What the process answers: the state afterwards, whether `close` found a cluster, or an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: ClusterState = ClusterState()
    closed: bool = False
    error: ErrorBody | None = None


async def run_command(command: ClusterCommand) -> CommandResult:
    """Let a process carry out a command.

    The process reads the end of its standard input when this call is cancelled or this process ends, however that ends. It then
    closes a cluster that it has made and is not ready, and ends.

    Raises:
        ClusterFailed: it failed; the subclass says why.
        SatflowError: what else the command raises.
    """
    # A session of its own: Ctrl-C in the server's terminal is for the server.
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=module_environment(), start_new_session=True
    )
    assert process.stdin is not None
    with suppress(ConnectionError):  # it has died; its standard error says why
        process.stdin.write(command.model_dump_json().encode() + b"\n")
        await process.stdin.drain()
    output, errors = await _read_to_end(process)
    try:
        result = CommandResult.model_validate(json.loads(output))
    except (ValueError, ValidationError):
        words = errors.decode(errors="replace").strip().splitlines()[-1:]
        reason = words[0] if words else f"code {process.returncode}"
        raise ClusterFailed(f"The process that manages the cluster ended without an answer: {reason}.") from None
    if result.error is not None:
        raise _as_raised(result.error)
    return result


async def _read_to_end(process: Process) -> tuple[bytes, bytes]:
    """Wait for the end of a process, also of one that is asked to end because the caller was cancelled; its two outputs."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        output, errors = await asyncio.gather(process.stdout.read(), process.stderr.read())
    finally:
        process.stdin.close()
        await process.wait()
    return output, errors


def _as_raised(body: ErrorBody) -> SatflowError:
    found = getattr(errors, body.error, ClusterFailed)
    kind = found if isinstance(found, type) and issubclass(found, SatflowError) else ClusterFailed
    return kind(body.message, fix=body.fix, field=body.field)
