"""Connections to hosts over SSH, and the resources of the hosts."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from satflow_ext.errors import ClusterFailed, DaskClusterUnfit, PythonMismatch

LOGIN_TIMEOUT = 15
"""Timeout of a login in seconds."""

PROBE_SCRIPT = """
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
FIX = "Check that `ssh {host}` works from this machine without a prompt."


class SshConnectionSettings(BaseModel):
    """Connection settings of the hosts.

    Args:
        hosts: names or addresses.
        username: the user on the hosts; default: the name in `~/.ssh/config`, or this user's name.
        port: port of SSH.
        python: the interpreter on the hosts; default: the path of this interpreter.
        client_keys: files with private keys; default: those of `~/.ssh` and of the agent.
        known_hosts: the file with the keys of the hosts; default: `~/.ssh/known_hosts`. An unknown host is refused.
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
        """The Python interpreter of the Dask workers."""
        return self.python or sys.executable

    def asyncssh_options(self) -> dict[str, Any]:
        """Return the settings as options of asyncssh."""
        options = {
            "username": self.username,
            "port": self.port,
            "client_keys": list(self.client_keys),
            "known_hosts": self.known_hosts,
        }
        return {name: value for name, value in options.items() if value}


class HostInfo(BaseModel):
    """Versions and resources of a host; `memory` is in bytes."""

    model_config = ConfigDict(frozen=True)

    python: str
    distributed: str | None
    memory: int
    gpus: int


@asynccontextmanager
async def open_connection(host: str, settings: SshConnectionSettings) -> AsyncIterator[Any]:
    """Open an asyncssh connection and close it when the block ends.

    Raises:
        ClusterFailed: the connection failed; the message has the reason.
    """
    connection = await connect_host(host, settings)
    try:
        yield connection
    finally:
        connection.close()
        await connection.wait_closed()


async def connect_host(host: str, settings: SshConnectionSettings) -> Any:
    """Open an asyncssh connection that the caller must close.

    Raises:
        ClusterFailed: the connection failed; the message has the reason.
    """
    import asyncssh

    try:
        return await asyncio.wait_for(
            asyncssh.connect(host, **settings.asyncssh_options(), keepalive_interval=15), LOGIN_TIMEOUT
        )
    except asyncio.TimeoutError:
        raise ClusterFailed(f"{host} does not answer over SSH.", fix=FIX.format(host=host)) from None
    except (OSError, asyncssh.Error, ValueError) as error:
        raise ClusterFailed(f"{host}, over SSH: {format_error(error)}.", fix=FIX.format(host=host)) from None


async def probe_hosts(settings: SshConnectionSettings) -> dict[str, HostInfo]:
    """Read the versions and resources of each host.

    Raises:
        ClusterFailed: a host cannot be reached, or does not have the interpreter.
        PythonMismatch: a host has a different Python version.
        DaskClusterUnfit: a host has no distributed, or a different version.
    """
    names = list(dict.fromkeys(settings.hosts))
    return dict(zip(names, await asyncio.gather(*(_probe_host(name, settings) for name in names)), strict=True))


async def _probe_host(name: str, settings: SshConnectionSettings) -> HostInfo:
    import asyncssh

    try:
        async with open_connection(name, settings) as connection:
            done = await connection.run(
                f"{shlex.quote(settings.interpreter)} -c {shlex.quote(PROBE_SCRIPT)}", timeout=LOGIN_TIMEOUT * 2
            )
    except asyncssh.TimeoutError:
        raise ClusterFailed(
            f"{name} did not run {settings.interpreter} in {LOGIN_TIMEOUT * 2} s.", fix=FIX.format(host=name)
        ) from None
    except (OSError, asyncssh.Error) as error:  # the connection was lost, or the host refuses commands
        raise ClusterFailed(f"{name}, over SSH: {format_error(error)}.", fix=FIX.format(host=name)) from None
    try:
        host = HostInfo.model_validate(json.loads(str(done.stdout).strip().rpartition("\n")[2]))
    except ValueError:
        wrong = " ".join(str(done.stderr).split()) or "the command wrote no output"
        fix = 'Set the interpreter of the hosts: {"python": "…"}.'
        raise ClusterFailed(f"{name} does not run {settings.interpreter}: {wrong}.", fix=fix) from None
    _check_versions(name, host)
    return host


def _check_versions(name: str, host: HostInfo) -> None:
    own_version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if host.python != own_version:
        raise PythonMismatch(
            f"{name} has Python {host.python}, flow runs Python {own_version}.",
            fix="Set python to an interpreter of this version.",
        )
    if host.distributed != version("distributed"):
        raise DaskClusterUnfit(
            f"{name} has {f'distributed {host.distributed}' if host.distributed else 'no distributed'}.",
            fix=f"Install distributed=={version('distributed')} there, and this machine's versions of prefect and satflow-ext.",
        )


def format_error(error: Exception) -> str:
    """Format an error as one line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


class HostPlacement:
    """Hosts with the numbers of running and failed Dask workers.

    Args:
        hosts: names of the hosts; a host that is listed twice gets twice as many Dask workers.
    """

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts
        self._running: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def reserve_host(self) -> str:
        """Reserve the host with the fewest Dask workers, and of those the one with the fewest failures."""
        host = min(dict.fromkeys(self._hosts), key=self._host_load)
        self._running[host] += 1
        return host

    def release_host(self, host: str, *, failed: bool) -> None:
        """Release the place of a Dask worker that ended or never started."""
        self._running[host] -= 1
        self._failed[host] += failed

    def _host_load(self, host: str) -> tuple[float, int]:
        # A failed Dask worker occupies its place until the other hosts have failed as often.
        return (self._running[host] + self._failed[host]) / self._hosts.count(host), self._failed[host]
