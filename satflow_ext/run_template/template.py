"""The template process: it accepts requests for flow runs and for their processes, and forks for each.

It has one thread, imports no user code, and opens no connection to anything. It reads no request: the fork does. When a file
that it has imported changes, it replaces itself by a new interpreter, and remains the parent of its forks.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from satflow_ext.fork_requests.start_run import EXIT_STATUS, FROM_TEMPLATE

BACKLOG = 256
"""Length of the queue in which requests wait while the template replaces itself."""

MODULE = "satflow_ext.run_template"
"""Module that runs a template process."""

FileStates: TypeAlias = dict[str, "FileState | None"]
"""The state of each path, None for a missing one."""


@dataclass(frozen=True)
class Fork:
    """A flow run, or a process of one.

    Args:
        pid: its process id.
        connection: connection to the process that requested it.
    """

    pid: int
    connection: socket.socket


def open_socket(path: Path) -> socket.socket:
    """Listen on a unix socket. A socket that an earlier template left is replaced.

    Args:
        path: path in a folder that only this user can enter.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.fspath(path))
    listener.listen(BACKLOG)
    return listener


def accept_once(path: Path, lifeline: int) -> socket.socket | None:
    """Wait for the one request to a spare interpreter.

    Args:
        path: path of its socket, which exists until the request.
        lifeline: descriptor of a pipe from the Prefect worker, which closes when the worker has ended.

    Returns:
        The connection to the requesting process; None if the worker has ended, or an imported file has changed.
    """
    files = read_imported_files()
    with open_socket(path) as listener:
        poll = select.poll()
        poll.register(lifeline, select.POLLIN)
        poll.register(listener, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll()]
        if listener.fileno() not in ready:
            return None
        connection, _ = listener.accept()
    path.unlink(missing_ok=True)
    if are_unchanged(files):
        return connection
    connection.close()
    return None


def end_with_requester(connection: socket.socket) -> None:
    """Kill this process and its group when the process at the other end has ended, as a template does with its forks."""

    def wait_and_kill() -> None:
        poll = select.poll()
        poll.register(connection, 0)
        poll.poll()
        _kill_group(os.getpid())

    threading.Thread(target=wait_and_kill, name="requester of this run", daemon=True).start()


class RunTemplate:
    """The loop of the template process.

    Args:
        listener: the listening socket.
        lifeline: descriptor of a pipe from the Prefect worker, which closes when the worker has ended.
        forks: forks of this process's former program, by process id.
        options: command-line options with which a new interpreter replaces the program.
        states: the state of more files and folders whose change replaces the program.
    """

    def __init__(
        self,
        listener: socket.socket,
        lifeline: int,
        forks: Mapping[int, socket.socket],
        options: Sequence[str] = (),
        states: FileStates | None = None,
    ) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._options = options
        self._files: FileStates = read_imported_files() | (states or {})
        self._forks: dict[int, Fork] = {}  # by the descriptor of the process
        self._poll = select.poll()
        self._poll.register(lifeline, select.POLLIN)
        self._poll.register(listener, select.POLLIN)
        for pid, connection in forks.items():
            self._watch_fork(pid, connection)

    def serve(self) -> socket.socket | None:
        """Accept requests until the Prefect worker has ended.

        Returns:
            In a fork, the connection to the process that requested it: all other descriptors of the template are closed.
            In the template itself, None.
        """
        while True:
            # One event of each poll, because it may close the descriptor of another one. The last, which is of the newest fork:
            # requests wait until the ends of forks are reported.
            descriptor, _ = self._poll.poll()[-1]
            if descriptor == self._lifeline:
                return None
            if descriptor == self._listener.fileno():
                self._replace_if_changed()
                connection, _ = self._listener.accept()
                if self._start_fork(connection):
                    return connection
            elif descriptor in self._forks:
                self._report_end(descriptor)
                self._replace_if_changed()  # now rather than when the next run waits for it
            else:
                self._kill_abandoned(descriptor)

    def _start_fork(self, connection: socket.socket) -> bool:
        """Fork. Return whether this is the fork; a request that cannot be met is closed without an answer."""
        if (threads := len(os.listdir("/proc/self/task"))) > 1:
            sys.stderr.write(f"The template has {threads} threads and does not fork; processes start without it.\n")
            connection.close()
            return False
        try:
            pid = os.fork()
        except OSError as error:
            sys.stderr.write(f"The template cannot fork: {error}\n")
            connection.close()
            return False
        if pid:
            self._watch_fork(pid, connection)
            return False
        self._close_descriptors()
        return True

    def _watch_fork(self, pid: int, connection: socket.socket) -> None:
        process = os.pidfd_open(pid)  # not reaped yet, so that the id is still this process's
        self._forks[process] = Fork(pid, connection)
        self._poll.register(process, select.POLLIN)
        self._poll.register(connection, 0)  # only its end is reported

    def _report_end(self, process: int) -> None:
        fork = self._forks.pop(process)
        self._poll.unregister(process)
        os.close(process)
        with contextlib.suppress(KeyError):
            self._poll.unregister(fork.connection)
        if _has_hung_up(fork.connection):
            _kill_group(fork.pid)  # a Dask worker ends by itself then, but not what it has started
        _, status = os.waitpid(fork.pid, 0)
        with contextlib.suppress(OSError):
            fork.connection.send(
                EXIT_STATUS.pack(FROM_TEMPLATE, os.waitstatus_to_exitcode(status)), socket.MSG_DONTWAIT
            )
        fork.connection.close()

    def _kill_abandoned(self, descriptor: int) -> None:
        """Kill the fork whose requesting process has ended: Prefect has killed it, and means the flow run."""
        self._poll.unregister(descriptor)
        for fork in self._forks.values():
            if fork.connection.fileno() == descriptor:
                _kill_group(fork.pid)

    def _replace_if_changed(self) -> None:
        if not are_unchanged(self._files):
            self._replace_program()

    def _replace_program(self) -> None:
        """Replace this program by a new interpreter. The request waits in the queue of the listening socket."""
        descriptors = [self._listener.fileno(), *(fork.connection.fileno() for fork in self._forks.values())]
        for each in descriptors:
            os.set_inheritable(each, True)
        forks = [f"{fork.pid}:{fork.connection.fileno()}" for fork in self._forks.values()]
        arguments = [*self._options, "--listener", str(self._listener.fileno()), *forks]
        os.execv(sys.executable, [sys.executable, "-m", MODULE, *arguments])

    def _close_descriptors(self) -> None:
        """Close what a fork must not hold."""
        self._listener.close()
        for process, fork in self._forks.items():
            os.close(process)
            fork.connection.close()


def _has_hung_up(connection: socket.socket) -> bool:
    """Return whether the process at the other end has ended."""
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))


def _kill_group(pid: int) -> None:
    """Kill a fork and the processes of its group; before it has its own group, only itself."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)


class FileState(NamedTuple):
    """The properties of a file or a folder that change when it is written or replaced."""

    modified: int
    size: int
    inode: int


def read_imported_files() -> FileStates:
    """Return the state of the files of all imported modules, and of the folders from which modules would be imported.

    An installation changes a folder (`*.dist-info`), also where none of its files is imported. `.pth` files are read when an
    interpreter starts.
    """
    return read_states([*_module_files(), *_import_folders(), *_path_files()])


def read_states(paths: list[str]) -> FileStates:
    """Return the state of each path."""
    return {path: _read_state(path) for path in paths}


def are_unchanged(states: FileStates) -> bool:
    """Return whether all paths still have these states."""
    return all(_read_state(path) == state for path, state in states.items())


def _module_files() -> list[str]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return sorted({file for file in files if isinstance(file, str)})


def _import_folders() -> list[str]:
    return [entry for entry in sys.path if entry]


def _path_files() -> list[str]:
    files: list[str] = []
    for folder in _import_folders():
        with contextlib.suppress(OSError):
            files += [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".pth")]
    return files


def _read_state(path: str) -> FileState | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return FileState(found.st_mtime_ns, found.st_size, found.st_ino)
