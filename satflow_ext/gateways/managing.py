"""The cluster that a deployment's runs share, managed ahead of runs and between them. Everything here blocks.

`python -m satflow_ext.gateways.managing` carries out the `ClusterCommand` on the first line of its standard input and reads no
pickles. At the end of that input, or at SIGTERM, it closes a cluster that it has made and is not ready, and ends.
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
from satflow_ext.gateways import factory, shared
from satflow_ext.gateways.cluster_process import ClusterCommand, ClusterState, CommandResult
from satflow_ext.gateways.connection import connected, reached
from satflow_ext.gateways.starting import Deadline, joined, let_go, resize, workers_of
from satflow_ext.gateways.wanted import Wanted
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
        wanted: how the deployment's version wants it.
        label: the deployment's id.
        settings: where gateways and locks are.
    """

    wanted: Wanted
    label: str
    settings: Settings

    def look(self) -> ClusterState:
        """How it is now. Never starts a gateway."""
        if not self._gateway_runs():
            return ClusterState()
        with self._gateway() as gateway:
            return self._seen(gateway)

    def start(self) -> ClusterState:
        """Start it where it does not run, and wait until it is ready.

        Raises:
            ClusterFailed: it did not start; it was cleaned up.
            SizeRefused: the gateway does not give that worker size.
        """
        with self._gateway() as gateway:
            let_go(factory.started(gateway, self.wanted, self.label, self.settings))
            return self._seen(gateway)

    def resize(self, workers: int | None, minimum: int = 0, maximum: int | None = None) -> ClusterState:
        """Ask for a number of Dask workers, or for as many as there is work for. They come later.

        Raises:
            ClusterNotFound: there is no such cluster.
            GatewayRefused: it gives fewer.
        """
        self._need_gateway()
        with self._gateway() as gateway, self._joined(gateway) as cluster:
            resize(cluster, workers, minimum, maximum)
            return self._seen(gateway)

    def close(self) -> bool:
        """End all of its clusters, of whichever version; whether there was any."""
        if not self._gateway_runs():
            return False
        with self._gateway() as gateway, shared.alone(self.label, self.settings):
            names = [each.name for each in shared.found(gateway, self.label)]
            for name in names:
                gateway.stop_cluster(name)
        return bool(names)

    def restart(self) -> ClusterState:
        """End it, and start another one.

        Raises:
            ClusterFailed: it did not start; it was cleaned up.
        """
        self.close()
        return self.start()

    @contextmanager
    def _gateway(self) -> Iterator[Gateway]:
        with reached(self.wanted.gateway, self.settings) as where, connected(where) as gateway:
            yield gateway

    def _gateway_runs(self) -> bool:
        """Whether it can be asked without being started for that."""
        record = None if self.wanted.gateway else endpoints.read_record(self.settings)
        return bool(self.wanted.gateway or (record and record.gateway_url))

    def _need_gateway(self) -> None:
        if not self._gateway_runs():
            raise _none()

    def _seen(self, gateway: Gateway) -> ClusterState:
        reports = shared.found(gateway, self.label)
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
        reports = shared.found(gateway, self.label)
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
    """Carry out one command, and write what became of it to standard output."""
    refuse_pickles()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the answer says what went wrong
    command = ClusterCommand.model_validate_json(sys.stdin.buffer.readline())
    try:
        _end_when_asked_to()
        sys.stdout.write(_result_of(command).model_dump_json())
    except KeyboardInterrupt:  # from the moment it can come: nobody waits for a result any more
        return INTERRUPTED
    return 0


def _result_of(command: ClusterCommand) -> CommandResult:
    """Carry out a command, and put what went wrong into the result."""
    try:
        return carry_out(command)
    except SatflowError as error:
        return CommandResult(error=ErrorBody.of(error))
    except PickleRefused as error:
        refused = ClusterFailed(f"The cluster's scheduler cannot be managed: {error}.", fix="Close it by other means.")
        return CommandResult(error=ErrorBody.of(refused))
    except Exception as error:  # the edge of this process: who waits for it reads why
        unknown = ClusterFailed(f"The cluster cannot be managed: {type(error).__name__}: {error}")
        return CommandResult(error=ErrorBody.of(unknown))


def _end_when_asked_to() -> None:
    """Raise KeyboardInterrupt in this thread, the main one, at the end of standard input or at SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    threading.Thread(target=_interrupt_at_end_of_input, args=(threading.get_ident(),), daemon=True).start()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # closing what was made is not interrupted again
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _interrupt_at_end_of_input(thread: int) -> None:
    while os.read(0, 4096):  # not `sys.stdin`: its lock would be held at the end of this process
        pass
    signal.pthread_kill(thread, signal.SIGINT)


def carry_out(command: ClusterCommand) -> CommandResult:
    """Do what a command says.

    Raises:
        ClusterFailed: it failed; the subclass says why.
        ClusterNotFound: there is no cluster that could be resized.
        SizeRefused: the gateway does not give that worker size.
    """
    managed = Managed(command.wanted, command.label, command.settings)
    if command.verb == "close":
        return CommandResult(closed=managed.close())
    if command.verb == "resize":
        return CommandResult(state=managed.resize(command.workers, command.minimum, command.maximum))
    verbs = {"read": managed.look, "start": managed.start, "restart": managed.restart}
    return CommandResult(state=verbs[command.verb]())


def _none() -> ClusterNotFound:
    return ClusterNotFound("The deployment has no cluster now.", fix="Start it first.")


if __name__ == "__main__":
    sys.exit(main())
