"""A cluster whose Dask workers are started over SSH, with TLS between all parts. Imported only in flow runs.

`distributed.SSHCluster` is not used: it starts the scheduler on a host as well, where it keeps running when the flow run is
killed; it does not replace lost Dask workers; and it puts keys on command lines.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from distributed import Scheduler
from distributed.deploy.spec import ProcessInterface, SpecCluster
from distributed.security import Security
from distributed.utils import get_ip

from satflow_ext.cluster_providers.address_redaction import redact_addresses
from satflow_ext.cluster_providers.provider import MissingWorkers, find_unconnected_workers
from satflow_ext.cluster_providers.ssh_hosts import HostPlacement, SshConnectionSettings, connect_host, format_error
from satflow_ext.cluster_providers.worker_variables import NO_DASHBOARD, dask_variables
from satflow_ext.dask_tasks.prefect_from_there import API_URL_VARIABLE, find_loopback_api
from satflow_ext.errors import ClusterFailed

WORKER_SCRIPT = """
import json, os, subprocess, sys, threading
order = json.loads(sys.stdin.readline())
worker = subprocess.Popen([sys.executable, *order["words"]], env={**os.environ, **order["environment"]}, stdin=subprocess.DEVNULL,
    stdout=subprocess.DEVNULL)
def goes_with_connection():
    sys.stdin.read()
    worker.terminate()
    try:
        worker.wait(5)
    except subprocess.TimeoutExpired:
        worker.kill()
threading.Thread(target=goes_with_connection, daemon=True).start()
sys.exit(worker.wait())
"""
"""Script that reads its command from standard input, which other users cannot see, and ends the worker when the input ends."""
DEATH_TIMEOUT = 60
"""Seconds after which a Dask worker that has lost its scheduler ends."""


class SshCluster(SpecCluster):
    """A cluster that distributes its Dask workers evenly over hosts.

    Args:
        hosts: names or addresses.
        nthreads: threads of each Dask worker.
        memory_limit: memory of each Dask worker in bytes; None: Dask's default share of the host's memory.
        gpus: GPUs of each Dask worker, as the resource `GPU`.
        scheduler_host: this machine's address as the hosts see it; default: the address used to reach the first host.
        worker_extra_args: additional command-line arguments of the Dask worker.
        username: see `ssh_hosts.SshConnectionSettings`, also for the remaining arguments.
        port: port of SSH.
        python: the interpreter on the hosts.
        client_keys: files with private keys.
        known_hosts: the file with the keys of the hosts.
    """

    def __init__(
        self,
        hosts: list[str],
        nthreads: int = 1,
        memory_limit: int | None = None,
        gpus: int = 0,
        scheduler_host: str | None = None,
        worker_extra_args: list[str] | None = None,
        username: str | None = None,
        port: int | None = None,
        python: str | None = None,
        client_keys: list[str] | None = None,
        known_hosts: str | None = None,
    ) -> None:
        self.connection_settings = SshConnectionSettings(
            hosts=tuple(hosts),
            username=username,
            port=port,
            python=python,
            client_keys=tuple(client_keys or ()),
            known_hosts=known_hosts,
        )
        security = Security.temporary()  # type: ignore[no-untyped-call]
        words = ["--nthreads", str(nthreads), *NO_DASHBOARD, *(["--resources", f"GPU={gpus}"] if gpus else [])]
        words += ["--memory-limit", str(memory_limit)] if memory_limit else []
        own_host = scheduler_host or get_ip(socket.gethostbyname(hosts[0]))  # type: ignore[no-untyped-call]
        super().__init__(  # type: ignore[no-untyped-call]
            scheduler={"cls": Scheduler, "options": _scheduler_options(own_host, security)},
            worker={
                "cls": SshWorker,
                "options": {
                    "reach": self.connection_settings,
                    "words": [*words, *(worker_extra_args or [])],
                    "environment": dict(dask_variables(security)),
                    "places": HostPlacement(self.connection_settings.hosts),
                },
            },
            security=security,
            name="ssh",
        )

    def find_missing_workers(self) -> MissingWorkers:
        """Report the Dask workers that are missing and the reasons."""
        lacking = find_unconnected_workers(self)
        ended = [name for name, each in lacking.items() if each.end_reason is not None]
        number = {host: place for place, host in reversed([*enumerate(self.connection_settings.hosts, 1)])}
        reasons = sorted(
            {f"on host {number[each.host]} {each.end_reason or 'it is starting'}" for each in lacking.values()}
        )
        return MissingWorkers(reason=", ".join(reasons) or None, lost_names=frozenset(ended))


def _scheduler_options(host: str, security: Security) -> dict[str, Any]:
    return {
        "host": host,
        "port": 0,
        "protocol": "tls://",
        "security": security,
        "dashboard": False,
        "dashboard_address": "127.0.0.1:0",
    }


class SshWorker(ProcessInterface):
    """A Dask worker process on a host.

    Args:
        scheduler: address of the scheduler.
        name: name of the Dask worker.
        reach: connection settings of the hosts.
        words: additional command-line arguments.
        environment: environment variables of the process.
        places: selects the host.
    """

    def __init__(
        self,
        scheduler: str,
        name: Any,
        reach: SshConnectionSettings,
        words: list[str],
        environment: dict[str, str],
        places: HostPlacement,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.end_reason: str | None = None
        """Text that explains why the Dask worker ended; None while it runs."""
        self.host = places.reserve_host()
        self._placement = places
        self._scheduler = scheduler
        self._name = str(name)
        self._settings = reach
        self._more_arguments = words
        self._environment = environment
        self._connection: Any = None
        self._watch_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Log in and start the Dask worker. It then connects to the scheduler; on failure, `ended` has the reason."""
        try:
            self._connection = await connect_host(self.host, self._settings)
            own = await self._forward_prefect_port()
            command = f"{shlex.quote(self._settings.interpreter)} -c {shlex.quote(WORKER_SCRIPT)}"
            process = await self._connection.create_process(command)
            process.stdin.write(f"{json.dumps(self._start_command(own))}\n")
            self._watch_task = asyncio.create_task(self._wait_for_end(process))
        except ClusterFailed as error:
            reason = error.message.removeprefix(f"{self.host}, over SSH: ").removeprefix(f"{self.host} ").rstrip(".")
            self._record_end(f"the login failed ({reason})" if self._connection is None else reason, failed=True)
        await super().start()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """End the Dask worker by closing the connection, which ends its standard input."""
        self._record_end("it was closed", failed=False)
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()
        if self._watch_task is not None:
            await self._watch_task
        await super().close()  # type: ignore[no-untyped-call]

    async def _forward_prefect_port(self) -> dict[str, str]:
        """Forward a loopback port of the host to a Prefect API that only this machine reaches, and return its URL variable."""
        import asyncssh

        if (url := find_loopback_api()) is None:
            return {}
        api = urlsplit(url)
        try:
            listener = await self._connection.forward_remote_port("127.0.0.1", 0, api.hostname, api.port)
        except asyncssh.Error as error:
            raise ClusterFailed(
                f"the host refuses port forwarding, which tasks need to reach the local stack: {format_error(error)}"
            ) from None
        return {API_URL_VARIABLE: api._replace(netloc=f"127.0.0.1:{listener.get_port()}").geturl()}

    def _start_command(self, more_environment: Mapping[str, str]) -> dict[str, Any]:
        words = ["-m", "distributed.cli.dask_worker", self._scheduler, "--name", self._name, "--protocol", "tls://"]
        if not any(word in ("--host", "--interface", "--contact-address") for word in self._more_arguments):
            words += ["--host", str(self._connection.get_extra_info("peername")[0])]
        words += ["--nanny", "--death-timeout", str(DEATH_TIMEOUT), *self._more_arguments]
        return {"words": words, "environment": {**self._environment, **more_environment}}

    async def _wait_for_end(self, process: Any) -> None:
        """Wait until the process ends, and use its last line of error output as the reason."""
        last = "its connection was lost"
        async for line in process.stderr:
            last = line.strip() or last
        await process.wait_closed()
        self._record_end(f"it ended ({last})", failed=True)

    def _record_end(self, reason: str, *, failed: bool) -> None:
        if self.end_reason is None:
            self.end_reason = redact_addresses(reason, self.host)
            self._placement.release_host(self.host, failed=failed)
