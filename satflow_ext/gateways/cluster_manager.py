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
from satflow_ext.gateways import cluster_factory, shared_clusters
from satflow_ext.gateways.cluster_process import ClusterCommand, ClusterState, CommandResult
from satflow_ext.gateways.cluster_request import Wanted
from satflow_ext.gateways.cluster_start import Deadline, joined, let_go, resize, workers_of
from satflow_ext.gateways.connection import connected, reached
from satflow_ext.models import ErrorBody
from satflow_ext.settings import Settings
from satflow_ext.unpickling import PickleRefused, refuse_pickles

if TYPE_CHECKING:
    from dask_gateway import Gateway, GatewayCluster

INTERRUPTED = 130
"""Exit code of a command that was interrupted."""


@dataclass(frozen=True)
class Managed:
    """The cluster that a deployment's runs share.

    Args:
        wanted: the cluster requested by the deployment's version.
        label: the deployment's id.
        settings: locations of gateways and locks.
    """

    wanted: Wanted
    label: str
    settings: Settings

    def look(self) -> ClusterState:
        """Read the current state of the cluster. Never starts a gateway."""
        if not self._gateway_runs():
            return ClusterState()
        with self._gateway() as gateway:
            return self._seen(gateway)

    def start(self) -> ClusterState:
        """Start the cluster if it is not running, and wait until it is ready.

        Raises:
            ClusterFailed: the cluster did not start and was cleaned up.
            SizeRefused: the gateway does not offer this worker size.
        """
        with self._gateway() as gateway:
            let_go(cluster_factory.started(gateway, self.wanted, self.label, self.settings))
            return self._seen(gateway)

    def resize(self, workers: int | None, minimum: int = 0, maximum: int | None = None) -> ClusterState:
        """Request a fixed number of Dask workers, or a number that adapts to the load. They start later.

        Raises:
            ClusterNotFound: the deployment has no cluster.
            GatewayRefused: the gateway allows fewer Dask workers.
        """
        self._need_gateway()
        with self._gateway() as gateway, self._joined(gateway) as cluster:
            resize(cluster, workers, minimum, maximum)
            return self._seen(gateway)

    def close(self) -> bool:
        """End the deployment's clusters of all versions, and return whether there were any."""
        if not self._gateway_runs():
            return False
        with self._gateway() as gateway, shared_clusters.alone(self.label, self.settings):
            names = [each.name for each in shared_clusters.found(gateway, self.label)]
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
    def _gateway(self) -> Iterator[Gateway]:
        with reached(self.wanted.gateway, self.settings) as where, connected(where) as gateway:
            yield gateway

    def _gateway_runs(self) -> bool:
        """Return whether the gateway is reachable without starting it."""
        record = None if self.wanted.gateway else endpoints.read_record(self.settings)
        return bool(self.wanted.gateway or (record and record.gateway_url))

    def _need_gateway(self) -> None:
        if not self._gateway_runs():
            raise _none()

    def _seen(self, gateway: Gateway) -> ClusterState:
        reports = shared_clusters.found(gateway, self.label)
        if not reports:
            return ClusterState()
        newest = reports[-1]
        started = newest.start_time.astimezone()
        if newest.status.name != "RUNNING":
            return ClusterState(state="starting", started=started)
        with self._joined(gateway) as cluster:
            return ClusterState(state="running", workers=workers_of(cluster), started=started)

    @contextmanager
    def _joined(self, gateway: Gateway) -> Iterator[GatewayCluster]:
        reports = shared_clusters.found(gateway, self.label)
        if not reports:
            raise _none()
        cluster = joined(gateway, reports[-1].name, Deadline(self.wanted.start_timeout))
        try:
            yield cluster
        except OSError as error:
            raise ClusterNotStarted(f"The cluster's scheduler does not answer: {type(error).__name__}.") from None
        finally:
            let_go(cluster)


def main() -> int:
    """Carry out one command and write the result to standard output."""
    refuse_pickles()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the result contains the error
    command = ClusterCommand.model_validate_json(sys.stdin.buffer.readline())
    _end_when_asked_to()
    try:
        result = carry_out(command)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SatflowError as error:
        result = CommandResult(error=ErrorBody.of(error))
    except PickleRefused as error:
        refused = ClusterFailed(
            f"The cluster's scheduler cannot be managed: {error}.", fix="Close the cluster with dask-gateway's client."
        )
        result = CommandResult(error=ErrorBody.of(refused))
    except Exception as error:  # process boundary: the parent process reads the reason
        unknown = ClusterFailed(f"The cluster cannot be managed: {type(error).__name__}: {error}")
        result = CommandResult(error=ErrorBody.of(unknown))
    sys.stdout.write(result.model_dump_json())
    return 0


def _end_when_asked_to() -> None:
    """Raise KeyboardInterrupt in this thread, the main one, at the end of standard input or at SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    threading.Thread(target=_interrupt_at_end_of_input, args=(threading.get_ident(),), daemon=True).start()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # a second signal must not interrupt the cleanup
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _interrupt_at_end_of_input(thread: int) -> None:
    while os.read(0, 4096):  # not `sys.stdin`: its lock would still be held when this process exits
        pass
    signal.pthread_kill(thread, signal.SIGINT)


def carry_out(command: ClusterCommand) -> CommandResult:
    """Carry out a command.

    Raises:
        ClusterFailed: the command failed; the subclass gives the reason.
        ClusterNotFound: there is no cluster to resize.
        SizeRefused: the gateway does not offer this worker size.
    """
    managed = Managed(command.wanted, command.label, command.settings)
    if command.verb == "close":
        return CommandResult(closed=managed.close())
    if command.verb == "resize":
        return CommandResult(state=managed.resize(command.workers, command.minimum, command.maximum))
    verbs = {"read": managed.look, "start": managed.start, "restart": managed.restart}
    return CommandResult(state=verbs[command.verb]())


def _none() -> ClusterNotFound:
    return ClusterNotFound("The deployment has no running cluster.", fix="Start the cluster first.")


if __name__ == "__main__":
    sys.exit(main())
