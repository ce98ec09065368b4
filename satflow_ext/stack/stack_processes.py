"""All processes of one stack, found by the mark in their environment.

Flow runs live in sessions of their own and lose their parent when a Prefect worker is killed; the mark stays with them.
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
"""Environment variable of the services that hold a listening socket of the supervisor's, and of no process that they start."""

RUN_MARK = "PREFECT__FLOW_RUN_ID"
"""Environment variable that the Prefect worker gives to the process of a flow run, which its children inherit."""


def relatives(mark: str, *, spare: Collection[int] = ()) -> list[psutil.Process]:
    """The living processes of the stack with this mark, except this process and those to spare."""
    spared = {os.getpid(), *spare}
    return [process for process in psutil.process_iter() if process.pid not in spared and _marked(process, mark)]


def executes_run(pid: int, mark: str, run_id: str) -> bool:
    """Return whether a living process of the stack has that id, and is one of that flow run.

    The id alone says little: in a container the first processes of each start get the same ones.
    """
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        return _marked(process, mark) and process.environ().get(RUN_MARK) == run_id
    return False


def listens(mark: str, port: int) -> bool:
    """Whether a process of the stack listens at that TCP port."""
    if not _is_listened_at(
        port
    ):  # most calls, while a server starts: looking through all processes would cost more than it
        return False
    for process in relatives(mark):
        with contextlib.suppress(psutil.Error):
            for each in process.net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN and each.laddr.port == port:
                    return True
    return False


def end(mark: str, *, spare: Collection[int] = (), grace: float = 0.0) -> None:
    """End them all: asked first when there is a grace (seconds), then killed. Blocks until none is left.

    Who holds a listening socket is killed last: another user may listen at its port then, and no client may be left.
    Nobody is waited for by `waitpid` here: the supervisor's children are reaped by its event loop.
    """
    if grace:
        _each(relatives(mark, spare=spare), psutil.Process.terminate)
        deadline = time.monotonic() + grace
        while relatives(mark, spare=spare) and time.monotonic() < deadline:
            time.sleep(0.05)
    end_clients(mark, spare=spare)
    while left := relatives(mark, spare=spare):
        _each(left, psutil.Process.kill)
        time.sleep(0.02)


def _is_listened_at(port: int) -> bool:
    """Return whether any process takes connections at that TCP port. Nothing is sent to it."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end_clients(mark: str, *, spare: Collection[int] = ()) -> None:
    """Kill all of them that hold no listening socket of the supervisor's. Blocks until none is left."""
    while left := [each for each in relatives(mark, spare=spare) if not _holds_listener(each)]:
        _each(left, psutil.Process.kill)
        time.sleep(0.02)


def _each(processes: list[psutil.Process], signal: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            signal(process)


def _holds_listener(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return LISTENER_MARK in process.environ()
    return False


def _marked(process: psutil.Process, mark: str) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return (
            process.uids().real == os.getuid()
            and process.status() != psutil.STATUS_ZOMBIE
            and process.environ().get(STACK_MARK) == mark
        )
    return False
