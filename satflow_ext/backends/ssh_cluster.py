"""A cluster whose Dask workers are started over SSH, with TLS between all parts. Imported only in flow runs.

`distributed.SSHCluster` is not used: it starts the scheduler on a host as well, where it keeps running when the flow run is
killed; it does not replace lost Dask workers; and it puts keys on command lines.
"""

from __future__ import annotations

import socket
from typing import Any

from distributed import Scheduler
from distributed.deploy.spec import SpecCluster
from distributed.security import Security
from distributed.utils import get_ip

from satflow_ext.backends.provider import MissingWorkers, find_unconnected_workers
from satflow_ext.backends.ssh_hosts import SshConnectionSettings
from satflow_ext.backends.ssh_placement import HostPlacement
from satflow_ext.backends.ssh_worker import SshWorker
from satflow_ext.backends.worker_variables import NO_DASHBOARD, dask_variables


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
