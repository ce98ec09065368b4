"""One Dask worker on a host. It lives as long as the SSH connection that started it."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from distributed.deploy.spec import ProcessInterface

from satflow_ext.backends.addresses import without_addresses
from satflow_ext.backends.ssh_hosts import Reach, connect, said
from satflow_ext.backends.ssh_placement import Places
from satflow_ext.dask_tasks.prefect_from_there import URL, api_on_loopback
from satflow_ext.errors import ClusterFailed

THERE = """
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

ORPHANED = 60
"""Seconds after which a Dask worker that has lost its scheduler ends."""


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
        reach: Reach,
        words: list[str],
        environment: dict[str, str],
        places: Places,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ended: str | None = None
        """Text that explains why the Dask worker ended; None while it runs."""
        self.host = places.take()
        self._places = places
        self._scheduler = scheduler
        self._name = str(name)
        self._reach = reach
        self._words = words
        self._environment = environment
        self._connection: Any = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Log in and start the Dask worker. It then connects to the scheduler; on failure, `ended` has the reason."""
        try:
            self._connection = await connect(self.host, self._reach)
            own = await self._prefect_from_there()
            command = f"{shlex.quote(self._reach.interpreter)} -c {shlex.quote(THERE)}"
            process = await self._connection.create_process(command)
            process.stdin.write(f"{json.dumps(self._order(own))}\n")
            self._watch = asyncio.create_task(self._watched(process))
        except ClusterFailed as error:
            why = error.message.removeprefix(f"{self.host}, over SSH: ").removeprefix(f"{self.host} ").rstrip(".")
            self._end(f"the login failed ({why})" if self._connection is None else why, failed=True)
        await super().start()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """End the Dask worker by closing the connection, which ends its standard input."""
        self._end("it was closed", failed=False)
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()
        if self._watch is not None:
            await self._watch
        await super().close()  # type: ignore[no-untyped-call]

    async def _prefect_from_there(self) -> dict[str, str]:
        """Forward a loopback port of the host to a Prefect API that only this machine reaches, and return its URL variable."""
        import asyncssh

        if (url := api_on_loopback()) is None:
            return {}
        api = urlsplit(url)
        try:
            there = await self._connection.forward_remote_port("127.0.0.1", 0, api.hostname, api.port)
        except asyncssh.Error as error:
            raise ClusterFailed(
                f"the host refuses port forwarding, which tasks need to reach the local stack: {said(error)}"
            ) from None
        return {URL: api._replace(netloc=f"127.0.0.1:{there.get_port()}").geturl()}

    def _order(self, own: Mapping[str, str]) -> dict[str, Any]:
        words = ["-m", "distributed.cli.dask_worker", self._scheduler, "--name", self._name, "--protocol", "tls://"]
        if not any(word in ("--host", "--interface", "--contact-address") for word in self._words):
            words += ["--host", str(self._connection.get_extra_info("peername")[0])]
        words += ["--nanny", "--death-timeout", str(ORPHANED), *self._words]
        return {"words": words, "environment": {**self._environment, **own}}

    async def _watched(self, process: Any) -> None:
        """Wait until the process ends, and use its last line of error output as the reason."""
        last = "its connection was lost"
        async for line in process.stderr:
            last = line.strip() or last
        await process.wait_closed()
        self._end(f"it ended ({last})", failed=True)

    def _end(self, why: str, *, failed: bool) -> None:
        if self.ended is None:
            self.ended = without_addresses(why, self.host)
            self._places.leave(self.host, failed=failed)
