"""Manage shared clusters in a separate process, which reads no pickles.

Managing a cluster requires calls to its scheduler, and distributed unpickles any value that a scheduler marks as a pickle, even
with `deserialize=False`. A shared scheduler may be another user's program: its messages must never run code in a Jupyter
server, a kernel or a command. Each command gets its own process, because commands are rare and take seconds anyway.
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
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.models import ErrorBody
from satflow_ext.own_module import build_module_command, build_module_environment
from satflow_ext.settings import Settings

COMMAND = build_module_command("satflow_ext.gateways.cluster_manager")


class ClusterState(BaseModel):
    """The state of a shared cluster; `workers` is the number of connected Dask workers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["none", "starting", "running"] = "none"
    workers: int = 0
    started: datetime | None = None


class ClusterCommand(BaseModel):
    """A command for the cluster that a deployment's runs share.

    Args:
        verb: the action; `read` changes nothing and never starts a gateway.
        request: the cluster requested by the deployment's version.
        label: the deployment's id.
        settings: locations of gateways and locks.
        workers: for `resize`: fixed number of Dask workers, or None to adapt to the load.
        minimum: for `resize`: minimum number if it adapts.
        maximum: for `resize`: maximum number if it adapts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verb: Literal["read", "start", "resize", "restart", "close"]
    request: GatewayClusterRequest
    label: str
    settings: Settings
    workers: int | None = None
    minimum: int = 0
    maximum: int | None = None


class CommandResult(BaseModel):
    """The result of a command: the state afterwards, whether `close` found a cluster, or an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: ClusterState = ClusterState()
    closed: bool = False
    error: ErrorBody | None = None


async def run_command(command: ClusterCommand) -> CommandResult:
    """Carry out a command in a separate process.

    The standard input of the process ends when this call is cancelled or this process ends for any reason. The process then
    closes a cluster that it created and that is not ready, and exits.

    Raises:
        ClusterFailed: the command failed; the subclass gives the reason.
        SatflowError: any other error of the command.
    """
    # A new session, because Ctrl-C in the server's terminal must reach only the server.
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=build_module_environment(), start_new_session=True
    )
    assert process.stdin is not None
    with suppress(ConnectionError):  # it has crashed; its standard error has the reason
        process.stdin.write(command.model_dump_json().encode() + b"\n")
        await process.stdin.drain()
    output, errors = await _read_to_end(process)
    try:
        result = CommandResult.model_validate(json.loads(output))
    except (ValueError, ValidationError):
        words = errors.decode(errors="replace").strip().splitlines()[-1:]
        reason = words[0] if words else f"code {process.returncode}"
        raise ClusterFailed(f"The process that manages the cluster ended without a result: {reason}.") from None
    if result.error is not None:
        raise _to_exception(result.error)
    return result


async def _read_to_end(process: Process) -> tuple[bytes, bytes]:
    """Wait for a process and return its standard output and error. If the caller is cancelled, end the process first."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        output, errors = await asyncio.gather(process.stdout.read(), process.stderr.read())
    finally:
        process.stdin.close()
        await process.wait()
    return output, errors


def _to_exception(body: ErrorBody) -> SatflowError:
    found = getattr(errors, body.error, ClusterFailed)
    kind = found if isinstance(found, type) and issubclass(found, SatflowError) else ClusterFailed
    return kind(body.message, fix=body.fix, field=body.field)
