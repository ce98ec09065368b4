"""All processes of one stack, found by the mark in their environment.

Flow runs have their own sessions and lose their parent when a Prefect worker is killed; they keep the mark.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Collection

import psutil

from satflow_ext.lease.start import STACK_MARK

LISTENER_MARK = "SATFLOW_STACK_LISTENER"
"""Environment variable of services that hold a listening socket of the supervisor; the processes they start do not have it."""

RUN_MARK = "PREFECT__FLOW_RUN_ID"
"""Environment variable that the Prefect worker sets for the process of a flow run and that its children inherit."""


def list_processes(mark: str, *, spare: Collection[int] = ()) -> list[psutil.Process]:
    """Return the live processes of the stack with this mark, except this process and the spared ones."""
    spared = {os.getpid(), *spare}
    return [process for process in psutil.process_iter() if process.pid not in spared and _has_mark(process, mark)]


def executes_run(pid: int, mark: str, run_id: str) -> bool:
    """Return whether a live process of the stack has this id and belongs to the flow run.

    The id alone is not sufficient: in a container the first processes get the same ids at each start.
    """
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        return _has_mark(process, mark) and process.environ().get(RUN_MARK) == run_id
    return False


def listens_on_port(mark: str, port: int) -> bool:
    """Return whether a process of the stack listens on a TCP port."""
    if not _is_port_open(port):  # the usual case while a server starts, and faster than searching all processes
        return False
    for process in list_processes(mark):
        with contextlib.suppress(psutil.Error):
            for each in process.net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN and each.laddr.port == port:
                    return True
    return False


def end_processes(mark: str, *, spare: Collection[int] = (), grace: float = 0.0) -> None:
    """End all processes: with a grace period (seconds) terminate them first, then kill them. Blocks until none is left.

    Holders of a listening socket are killed last: after that another user may listen on the port, so no client may be left.
    This function does not call `waitpid`: the supervisor's event loop reaps its children.
    """
    if grace:
        _signal_all(list_processes(mark, spare=spare), psutil.Process.terminate)
        deadline = time.monotonic() + grace
        while list_processes(mark, spare=spare) and time.monotonic() < deadline:
            time.sleep(0.05)
    end_clients(mark, spare=spare)
    while left := list_processes(mark, spare=spare):
        _signal_all(left, psutil.Process.kill)
        time.sleep(0.02)


def _is_port_open(port: int) -> bool:
    """Return whether any process accepts connections on a TCP port, without sending data."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end_clients(mark: str, *, spare: Collection[int] = ()) -> None:
    """Kill all processes that do not hold a listening socket of the supervisor. Blocks until none is left."""
    while left := [each for each in list_processes(mark, spare=spare) if not _holds_listener(each)]:
        _signal_all(left, psutil.Process.kill)
        time.sleep(0.02)


def _signal_all(processes: list[psutil.Process], signal: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            signal(process)


def _holds_listener(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return LISTENER_MARK in process.environ()
    return False


def _has_mark(process: psutil.Process, mark: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return (
            process.uids().real == os.getuid()
            and process.status() != psutil.STATUS_ZOMBIE
            and process.environ().get(STACK_MARK) == mark
        )
    return False
