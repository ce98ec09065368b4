"""A flow run in a fork of the template: the process becomes what `python -m prefect.engine` would be.

Settings and log handlers that Prefect made in the template are made again from the run's environment. Variables that an
interpreter reads when it starts cannot be changed afterwards; a run for which they differ starts in another way.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import runpy
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import process as multiprocessing_process
from types import ModuleType
from typing import NoReturn

from satflow_ext.run_template.start_run import (
    ENGINE,
    ENGINE_COMMAND,
    EXIT_STATUS,
    FROM_FORK,
    LENGTH,
    PROCESS_ID,
    READY,
    START,
    receive_exactly,
)
from satflow_ext.runtime.this_run import RUN_ID

READ_AT_START = ("PYTHON", "LD_", "MALLOC_", "GLIBC_TUNABLES", "LANG", "LC_", "TZ", "PYDANTIC_")
"""Beginnings of the names of variables that interpreter, C library and imported modules read once."""

SHOWN_ID_LENGTH = 8
"""Characters of a run's id in the name of its process, which may have 15."""


@dataclass(frozen=True)
class RunRequest:
    """The process that requested a flow run.

    Args:
        folder: its folder.
        umask: its mask for the permissions of new files.
        environment: its environment variables.
        streams: its standard input, output and error.
    """

    folder: bytes
    umask: int
    environment: Mapping[bytes, bytes]
    streams: tuple[int, ...]


def execute_run(connection: socket.socket) -> NoReturn:
    """Become the flow run that is requested on this connection.

    Raises:
        SystemExit: at the end of the run, with its exit code.
    """
    request = _accept_request(connection)
    if request is None:
        os._exit(0)
    _become_run(request)
    code = _run_engine()
    with contextlib.suppress(OSError):
        connection.send(EXIT_STATUS.pack(FROM_FORK, code))
    sys.exit(code)


def _accept_request(connection: socket.socket) -> RunRequest | None:
    """Return the request, or None if this process is not to start its run."""
    try:
        connection.sendall(READY)
        request = _receive_request(connection)
        if _needs_other_interpreter(request.environment):
            connection.sendall(PROCESS_ID.pack(0))
            return None
        os.setsid()
        connection.sendall(PROCESS_ID.pack(os.getpid()))
        receive_exactly(connection, len(START))
    except OSError:  # the requesting process has ended, or starts the run itself
        return None
    return request


def _receive_request(connection: socket.socket) -> RunRequest:
    """Receive a request and the standard streams.

    Raises:
        ConnectionError: the connection ended before.
    """
    head, streams, _, _ = socket.recv_fds(connection, LENGTH.size, 3)
    head += receive_exactly(connection, LENGTH.size - len(head))
    (length,) = LENGTH.unpack(head)
    folder, umask, *variables = receive_exactly(connection, length).split(b"\0")
    pairs = (variable.partition(b"=") for variable in variables)
    return RunRequest(folder, int(umask), {name: value for name, _, value in pairs}, tuple(streams))


def _needs_other_interpreter(environment: Mapping[bytes, bytes]) -> bool:
    """Return whether a variable differs that this interpreter has read when it started."""
    return _read_at_start(environment) != _read_at_start(os.environb)


def _read_at_start(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    prefixes = tuple(each.encode() for each in READ_AT_START)
    return {name: value for name, value in environment.items() if name.startswith(prefixes)}


def _become_run(request: RunRequest) -> None:
    for target, descriptor in enumerate(request.streams):
        os.dup2(descriptor, target)
        os.close(descriptor)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.umask(request.umask)
    os.chdir(request.folder)
    os.environb.clear()
    os.environb.update(request.environment)
    _name_process()
    _begin_interpreter()
    _begin_prefect()


def _name_process() -> None:
    """Name this process for `ps` and `top`: it has the command line of the template."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as name:
        name.write(f"run {os.environ.get(RUN_ID, '')[:SHOWN_ID_LENGTH]}")


def _begin_interpreter() -> None:
    """Set what an interpreter sets when it starts with `-m`."""
    folder = os.getcwd()
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder
    sys.argv = [ENGINE]
    sys.orig_argv = list(ENGINE_COMMAND)
    multiprocessing_process.ORIGINAL_DIR = folder  # type: ignore[attr-defined]  # where spawned processes start
    importlib.invalidate_caches()


def _begin_prefect() -> None:
    """Read Prefect's settings from the environment, and make its log handlers again."""
    from prefect import context
    from prefect.logging.configuration import setup_logging

    context.GLOBAL_SETTINGS_CONTEXT = context.root_settings_context()
    setup_logging(incremental=False)


def _run_engine() -> int:
    """Run Prefect's engine as the main module, and return the exit code."""
    sys.modules["__main__"] = ModuleType("__main__")
    sys.modules.pop(ENGINE, None)  # imported by others; `python -m` imports it as the main module first
    try:
        runpy._run_module_as_main(ENGINE)  # type: ignore[attr-defined]  # what `python -m` calls
    except SystemExit as end:
        return _exit_code(end)
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1
