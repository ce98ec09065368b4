"""Manage the cluster that a deployment's runs share, before runs and between them. All functions block.

`python -m satflow_ext.gateways.cluster_manager` carries out the `ClusterCommand` on the first line of its standard input and
reads no pickles. At the end of that input, or on SIGTERM, it closes a cluster that it created and that is not ready, and exits.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from satflow_ext import endpoints
from satflow_ext.errors import ClusterFailed, ClusterNotFound, ClusterNotStarted, SatflowError
from satflow_ext.gateways import shared_clusters
from satflow_ext.gateways.cluster_process import ClusterCommand, ClusterState, CommandResult
from satflow_ext.gateways.cluster_request import GatewayClusterRequest
from satflow_ext.gateways.cluster_start import (
    Deadline,
    count_workers,
    join_cluster,
    release_cluster,
    resize_cluster,
    start_cluster,
)
from satflow_ext.gateways.connection import connect_gateway, locate_gateway
from satflow_ext.models import ErrorBody
from satflow_ext.settings import Settings
from satflow_ext.unpickling import PickleRefused, refuse_pickles

if TYPE_CHECKING:
    from dask_gateway import Gateway, GatewayCluster

EXIT_INTERRUPTED = 130
"""Exit code of a command that was interrupted."""


@dataclass(frozen=True)
class SharedClusterManager:
    """The cluster that a deployment's runs share.

    Args:
        request: the cluster requested by the deployment's version.
        label: the deployment's id.
        settings: locations of gateways and locks.
    """

    request: GatewayClusterRequest
    label: str
    settings: Settings

    def read_state(self) -> ClusterState:
        """Read the current state of the cluster. Never starts a gateway."""
        if not self._is_gateway_running():
            return ClusterState()
        with self._connect_gateway() as gateway:
            return self._read_cluster_state(gateway)

    def start(self) -> ClusterState:
        """Start the cluster if it is not running, and wait until it is ready.

        Raises:
            ClusterFailed: the cluster did not start and was cleaned up.
            SizeRefused: the gateway does not offer this worker size.
        """
        with self._connect_gateway() as gateway:
            release_cluster(start_cluster(gateway, self.request, self.label, self.settings))
            return self._read_cluster_state(gateway)

    def resize(self, workers: int | None, minimum: int = 0, maximum: int | None = None) -> ClusterState:
        """Request a fixed number of Dask workers, or a number that adapts to the load. They start later.

        Raises:
            ClusterNotFound: the deployment has no cluster.
            GatewayRefused: the gateway allows fewer Dask workers.
        """
        self._require_gateway()
        with self._connect_gateway() as gateway, self._join_cluster(gateway) as cluster:
            resize_cluster(cluster, workers, minimum, maximum)
            return self._read_cluster_state(gateway)

    def close(self) -> bool:
        """End the deployment's clusters of all versions, and return whether there were any."""
        if not self._is_gateway_running():
            return False
        with self._connect_gateway() as gateway, shared_clusters.lock_label(self.label, self.settings):
            names = [each.name for each in shared_clusters.list_shared_clusters(gateway, self.label)]
            for name in names:
                gateway.stop_cluster(name)
        return bool(names)

    def restart(self) -> ClusterState:
        """End the cluster and start a new one.

        Raises:
            ClusterFailed: the new cluster did not start and was cleaned up.
        """
        self.close()
        return self.start()

    @contextmanager
    def _connect_gateway(self) -> Iterator[Gateway]:
        with locate_gateway(self.request.gateway, self.settings) as where, connect_gateway(where) as gateway:
            yield gateway

    def _is_gateway_running(self) -> bool:
        """Return whether the gateway is reachable without starting it."""
        record = None if self.request.gateway else endpoints.read_record(self.settings)
        return bool(self.request.gateway or (record and record.gateway_url))

    def _require_gateway(self) -> None:
        if not self._is_gateway_running():
            raise _no_cluster()

    def _read_cluster_state(self, gateway: Gateway) -> ClusterState:
        reports = shared_clusters.list_shared_clusters(gateway, self.label)
        if not reports:
            return ClusterState()
        newest = reports[-1]
        started = newest.start_time.astimezone()
        if newest.status.name != "RUNNING":
            return ClusterState(state="starting", started=started)
        with self._join_cluster(gateway) as cluster:
            return ClusterState(state="running", workers=count_workers(cluster), started=started)

    @contextmanager
    def _join_cluster(self, gateway: Gateway) -> Iterator[GatewayCluster]:
        reports = shared_clusters.list_shared_clusters(gateway, self.label)
        if not reports:
            raise _no_cluster()
        cluster = join_cluster(gateway, reports[-1].name, Deadline(self.request.start_timeout))
        try:
            yield cluster
        except OSError as error:
            raise ClusterNotStarted(f"The cluster's scheduler does not answer: {type(error).__name__}.") from None
        finally:
            release_cluster(cluster)


def main() -> int:
    """Carry out one command and write the result to standard output."""
    refuse_pickles()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the result contains the error
    command = ClusterCommand.model_validate_json(sys.stdin.buffer.readline())
    try:
        _install_interrupts()
        sys.stdout.write(_execute(command).model_dump_json())
    except KeyboardInterrupt:  # may come as soon as the handlers are installed; no process waits for a result
        return EXIT_INTERRUPTED
    return 0


def _execute(command: ClusterCommand) -> CommandResult:
    """Execute a command; return its result, which contains the error if it failed."""
    try:
        return execute_command(command)
    except SatflowError as error:
        return CommandResult(error=ErrorBody.from_error(error))
    except PickleRefused as error:
        refused = ClusterFailed(
            f"The cluster's scheduler cannot be managed: {error}.", fix="Close the cluster with dask-gateway's client."
        )
        return CommandResult(error=ErrorBody.from_error(refused))
    except Exception as error:  # process boundary: the parent process reads the reason
        unknown = ClusterFailed(f"The cluster cannot be managed: {type(error).__name__}: {error}")
        return CommandResult(error=ErrorBody.from_error(unknown))


def _install_interrupts() -> None:
    """Raise KeyboardInterrupt in this thread, the main one, at the end of standard input or at SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _raise_interrupt)
    threading.Thread(target=_interrupt_at_end_of_input, args=(threading.get_ident(),), daemon=True).start()


def _raise_interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # a second signal must not interrupt the cleanup
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _interrupt_at_end_of_input(thread: int) -> None:
    while os.read(0, 4096):  # not `sys.stdin`: its lock would still be held when this process exits
        pass
    signal.pthread_kill(thread, signal.SIGINT)


def execute_command(command: ClusterCommand) -> CommandResult:
    """Carry out a command.

    Raises:
        ClusterFailed: the command failed; the subclass gives the reason.
        ClusterNotFound: there is no cluster to resize.
        SizeRefused: the gateway does not offer this worker size.
    """
    managed = SharedClusterManager(command.request, command.label, command.settings)
    if command.verb == "close":
        return CommandResult(closed=managed.close())
    if command.verb == "resize":
        return CommandResult(state=managed.resize(command.workers, command.minimum, command.maximum))
    verbs = {"read": managed.read_state, "start": managed.start, "restart": managed.restart}
    return CommandResult(state=verbs[command.verb]())


def _no_cluster() -> ClusterNotFound:
    return ClusterNotFound("The deployment has no running cluster.", fix="Start the cluster first.")


if __name__ == "__main__":
    sys.exit(main())
