"""Processes that a flow run starts with `multiprocessing`'s method `spawn`, as forks of a template process.

Such a process is like a new interpreter, but has imported its packages before. It has the folder, environment, standard streams
and `__main__` that it would have. Where that is not possible, it is a new interpreter.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
from collections.abc import Sequence
from functools import partial
from multiprocessing import connection as multiprocessing_connection
from multiprocessing import popen_fork, popen_spawn_posix, resource_tracker, spawn, util
from multiprocessing.context import SpawnProcess, reduction, set_spawning_popen  # type: ignore[attr-defined]
from multiprocessing.process import BaseProcess
from pathlib import Path

from satflow_ext.fork_requests.start_run import EXIT_STATUS, PROCESS, START, receive_exactly, request_fork

RUN_SOCKET = "run"
"""Name of the socket of the template for flow runs, whose processes have imported Prefect."""
DASK_SOCKET = "dask"
"""Name of the socket of the template for Dask workers."""

PROCESS_NAME = "flow process"
"""Name of the forks for `ps` and `top`: their command line is the template's."""

UNREPORTED_STATUS = 255
"""Exit status of a process whose template was killed before it. `multiprocessing`'s `forkserver` reports the same."""

_templates: Path | None = None
_inherited: list[int] = []


def use_templates(folder: Path) -> None:
    """Set the folder of the sockets of templates; without it, all processes are new interpreters."""
    global _templates
    _templates = folder


def has_templates() -> bool:
    """Return whether this process is a flow run that can request forks."""
    return _templates is not None


def fork_spawned_processes(template: str) -> None:
    """Fork a template from now on for processes that are started by `spawn`. Without templates, do nothing.

    Args:
        template: name of the template's socket. The template need not run.
    """
    if _templates is not None:
        start = partial(_start_process, str(_templates / template))
        SpawnProcess._Popen = staticmethod(start)  # type: ignore[method-assign,assignment]  # what `Process.start` calls


def _start_process(path: str, process: BaseProcess) -> popen_fork.Popen:
    try:
        return ForkedPopen(process, path)
    except TemplateUnavailable:
        return popen_spawn_posix.Popen(process)


class TemplateUnavailable(Exception):
    """The template does not run, or its fork would differ from a new interpreter."""


class InheritedDescriptor:
    """A descriptor that the process inherits.

    Args:
        number: position among the descriptors that were sent with the request.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def detach(self) -> int:
        """Return the descriptor in the process."""
        return _inherited[self._number]


def inherit_descriptors(descriptors: Sequence[int]) -> None:
    """Set the descriptors that this process has inherited."""
    _inherited[:] = descriptors


class ForkedPopen(popen_fork.Popen):
    """The handle of a process, as `multiprocessing` uses it: a fork of the template instead of a new interpreter.

    The template kills the process when the process that started it has ended.

    Args:
        process: the process to start.
        path: path of the template's socket.

    Raises:
        TemplateUnavailable: start the process in another way.
    """

    method = "spawn"
    DupFd = InheritedDescriptor

    def __init__(self, process: BaseProcess, path: str) -> None:
        self._path = path
        self._descriptors: list[int] = []
        self._lock = threading.Lock()
        super().__init__(process)

    def duplicate_for_child(self, descriptor: int) -> int:
        """Send a descriptor to the process, and return the argument of its `DupFd`."""
        self._descriptors.append(descriptor)
        return len(self._descriptors) - 1

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        """Return the exit status, or None while the process runs. Without the flag, wait for its end."""
        if self.returncode is None:
            if not multiprocessing_connection.wait([self.sentinel], 0 if flag == os.WNOHANG else None):
                return None
            with self._lock:
                if self.returncode is None:
                    self.returncode = self._read_status()
        return self.returncode

    def _send_signal(self, number: int) -> None:
        if self.poll() is None:  # after its end, another process may have its id
            super()._send_signal(number)  # type: ignore[misc]

    def _launch(self, process: BaseProcess) -> None:
        data = self._encode_process(process)
        read_end, write_end = os.pipe()
        try:
            tracker = resource_tracker.getfd()
            assert tracker is not None
            descriptors = [0, 1, 2, read_end, tracker, *self._descriptors]
            self._connection, self.pid = request_fork(self._path, PROCESS, descriptors)
        except OSError as error:
            os.close(write_end)
            raise TemplateUnavailable from error
        finally:
            os.close(read_end)
        self.sentinel = self._connection.fileno()
        self.finalizer = util.Finalize(self, _close, (self._connection, write_end))
        with contextlib.suppress(OSError):  # the process has been killed; its status shows it
            self._connection.sendall(START)
            # Not closed: its end shows the process that this one has ended.
            with open(write_end, "wb", closefd=False) as pipe:
                pipe.write(data)

    def _encode_process(self, process: BaseProcess) -> memoryview:
        """Encode what `spawn` sends to a new interpreter."""
        buffer = io.BytesIO()
        preparation = spawn.get_preparation_data(process.name)
        set_spawning_popen(self)  # type: ignore[arg-type]  # it has the attributes that pickling uses
        try:
            reduction.dump(preparation, buffer)
            reduction.dump(process, buffer)
        finally:
            set_spawning_popen(None)
        return buffer.getbuffer()

    def _read_status(self) -> int:
        try:
            _, status = EXIT_STATUS.unpack(receive_exactly(self._connection, EXIT_STATUS.size))
        except OSError:
            return UNREPORTED_STATUS
        return int(status)


def _close(connection: socket.socket, descriptor: int) -> None:
    connection.close()
    os.close(descriptor)
