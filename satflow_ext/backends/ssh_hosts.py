"""Hosts that one can log in to: how, and what they have."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from satflow_ext.errors import ClusterFailed, DaskClusterUnfit, PythonMismatch

CONNECT = 15
"""Seconds that logging in may take."""

ASKS = """
import importlib.metadata, json, os, pathlib, sys
def of(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({
    "python": "%d.%d" % sys.version_info[:2],
    "distributed": of("distributed"),
    "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    "gpus": len(list(pathlib.Path("/dev").glob("nvidia[0-9]*"))),
}))
"""


class Reach(BaseModel):
    """How hosts are logged in to.

    Args:
        hosts: names or addresses.
        username: there; empty: this user's name, or what `~/.ssh/config` says.
        port: of SSH.
        python: the interpreter there; empty: the same path as here.
        client_keys: files of private keys; empty: those of `~/.ssh` and of the agent.
        known_hosts: the file that says which keys hosts have; empty: `~/.ssh/known_hosts`. An unknown host is refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = Field(min_length=1)
    username: str | None = None
    port: int | None = Field(None, ge=1, le=65535)
    python: str | None = None
    client_keys: tuple[str, ...] = ()
    known_hosts: str | None = None

    @property
    def interpreter(self) -> str:
        """The one that Dask workers have."""
        return self.python or sys.executable

    def options(self) -> dict[str, Any]:
        """The same in the words of asyncssh."""
        said = {
            "username": self.username,
            "port": self.port,
            "client_keys": list(self.client_keys),
            "known_hosts": self.known_hosts,
        }
        return {name: value for name, value in said.items() if value}


class Host(BaseModel):
    """What a host has: `memory` in bytes."""

    model_config = ConfigDict(frozen=True)

    python: str
    distributed: str | None
    memory: int
    gpus: int


@asynccontextmanager
async def logged_in(host: str, reach: Reach) -> AsyncIterator[Any]:
    """A connection of asyncssh.

    Raises:
        ClusterFailed: there is none, and why.
    """
    connection = await connect(host, reach)
    try:
        yield connection
    finally:
        connection.close()
        await connection.wait_closed()


async def connect(host: str, reach: Reach) -> Any:
    """The same, for somebody else to close."""
    import asyncssh

    try:
        return await asyncio.wait_for(asyncssh.connect(host, **reach.options(), keepalive_interval=15), CONNECT)
    except asyncio.TimeoutError:
        raise ClusterFailed(f"{host} does not answer over SSH.", fix=TRY.format(host=host)) from None
    except (OSError, asyncssh.Error, ValueError) as error:
        raise ClusterFailed(f"{host}, over SSH: {said(error)}.", fix=TRY.format(host=host)) from None


async def look_at(reach: Reach) -> dict[str, Host]:
    """What each of the hosts has.

    Raises:
        ClusterFailed: one of them cannot be reached, or has no such interpreter.
        PythonMismatch: its Python is another.
        DaskClusterUnfit: it has no distributed, or another version of it.
    """
    names = list(dict.fromkeys(reach.hosts))
    return dict(zip(names, await asyncio.gather(*(_look(name, reach) for name in names)), strict=True))


async def _look(name: str, reach: Reach) -> Host:
    import asyncssh

    try:
        async with logged_in(name, reach) as connection:
            done = await connection.run(f"{shlex.quote(reach.interpreter)} -c {shlex.quote(ASKS)}", timeout=CONNECT * 2)
    except asyncssh.TimeoutError:
        raise ClusterFailed(
            f"{name} did not run {reach.interpreter} in {CONNECT * 2} s.", fix=TRY.format(host=name)
        ) from None
    except (OSError, asyncssh.Error) as error:  # the connection was cut, or no command may be run there
        raise ClusterFailed(f"{name}, over SSH: {said(error)}.", fix=TRY.format(host=name)) from None
    try:
        host = Host.model_validate(json.loads(str(done.stdout).strip().rpartition("\n")[2]))
    except ValueError:
        wrong = " ".join(str(done.stderr).split()) or "it answers nothing"
        fix = 'Say which interpreter it has: {"python": "…"}.'
        raise ClusterFailed(f"{name} does not run {reach.interpreter}: {wrong}.", fix=fix) from None
    _compare(name, host)
    return host


def _compare(name: str, host: Host) -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if host.python != here:
        raise PythonMismatch(f"{name} has Python {host.python}, flow runs Python {here}.", fix="Choose another python.")
    if host.distributed != version("distributed"):
        raise DaskClusterUnfit(
            f"{name} has {f'distributed {host.distributed}' if host.distributed else 'no distributed'}.",
            fix=f"Install distributed=={version('distributed')} there, with prefect and satflow-ext as they are here.",
        )


def said(error: Exception) -> str:
    """An error in a line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


TRY = "See that `ssh {host}` works from this machine without a question."
