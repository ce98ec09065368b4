"""A fork of the template: it accepts the request, and takes over from the requesting process what a new process would inherit.

Then it becomes what is requested: a flow run, as `python -m prefect.engine` would execute it, a process that `multiprocessing`
would start as a new interpreter (`spawn`), or the trial load of a packed flow.

Settings and log handlers that Prefect made in the template are made again from the request's environment. Variables that an
interpreter or a library reads when it starts, and limits of the process, cannot be changed afterwards; what differs in them
starts in another way.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import runpy
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from multiprocessing import process as multiprocessing_process
from multiprocessing import resource_tracker, spawn
from types import ModuleType
from typing import NoReturn

import cloudpickle

from satflow_ext.fork_requests import child_process
from satflow_ext.fork_requests.preloaded_packages import PRELOADABLE
from satflow_ext.fork_requests.start_run import (
    ENGINE,
    ENGINE_COMMAND,
    EXIT_STATUS,
    FROM_FORK,
    LENGTH,
    LOAD,
    PROCESS_ID,
    READY,
    START,
    limit_memory,
    read_fixed_attributes,
    receive_exactly,
)
from satflow_ext.fork_requests.trial_load import BODY, INTERPRETER
from satflow_ext.runtime.this_run import RUN_ID

READ_AT_START = ("PYTHON", "LD_", "MALLOC_", "GLIBC_TUNABLES", "LANG", "LC_", "TZ", "PYDANTIC_")
"""Beginnings of the names of variables that interpreter, C library and imported modules read once."""
READ_BY_DASK = ("DASK_", "HOME")
"""The same for Dask; see `PRELOADABLE` for packages that flows use."""

MAX_DESCRIPTORS = 253
"""Linux sends at most that many descriptors with one message."""

MEMORY_FOR_RUN = 64 * 1024**2
"""Bytes that a flow run uses at least, besides its imports."""

SHOWN_ID_LENGTH = 8
"""Characters of a run's id in the name of its process, which may have 15."""


@dataclass(frozen=True)
class ForkRequest:
    """The process that requested a fork.

    Args:
        kind: what is requested: `RUN`, `PROCESS` or `LOAD`.
        folder: its folder.
        umask: its mask for the permissions of new files.
        fixed: its attributes that a fork cannot take over.
        environment: its environment variables.
        descriptors: standard input, output and error, and those of a process.
    """

    kind: bytes
    folder: bytes
    umask: int
    fixed: bytes
    environment: Mapping[bytes, bytes]
    descriptors: tuple[int, ...]


def accept_request(connection: socket.socket) -> ForkRequest | None:
    """Return the request, or None if this process is not to do anything."""
    try:
        connection.sendall(READY)
        request = _receive_request(connection)
        limit_memory(request.environment)
        if not (_can_load(request) if request.kind == LOAD else _is_equal_to_new_process(request)):
            connection.sendall(PROCESS_ID.pack(0))
            return None
        with contextlib.suppress(PermissionError):  # a spare interpreter has its own session
            os.setsid()
        connection.sendall(PROCESS_ID.pack(os.getpid()))
        receive_exactly(connection, len(START))
    except OSError:  # the requesting process has ended, or does without this fork
        return None
    return request


def take_over(request: ForkRequest) -> None:
    """Set the standard streams, signals, folder and umask that are requested.

    A flow run and its processes get the environment of the requesting process as well, and Prefect's settings from it. A trial
    load keeps the environment of the template, which is that of flow runs.
    """
    for target, descriptor in enumerate(request.descriptors[:3]):
        os.dup2(descriptor, target)
        os.close(descriptor)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.umask(request.umask)
    os.chdir(request.folder)
    if request.kind == LOAD:
        return
    os.environb.clear()
    os.environb.update(request.environment)
    _seed_numpy()
    _begin_prefect()


def _receive_request(connection: socket.socket) -> ForkRequest:
    """Receive a request and its descriptors.

    Raises:
        ConnectionError: the connection ended before.
    """
    kind = receive_exactly(connection, 1)
    head, descriptors, _, _ = socket.recv_fds(connection, LENGTH.size, MAX_DESCRIPTORS)
    head += receive_exactly(connection, LENGTH.size - len(head))
    (length,) = LENGTH.unpack(head)
    folder, umask, fixed, *variables = receive_exactly(connection, length).split(b"\0")
    pairs = (variable.partition(b"=") for variable in variables)
    environment = {name: value for name, _, value in pairs}
    return ForkRequest(kind, folder, int(umask), fixed, environment, tuple(descriptors))


def _can_load(request: ForkRequest) -> bool:
    """Return whether flow runs of the flow that is to be loaded have this interpreter."""
    return request.environment.get(INTERPRETER) == os.fsencode(sys.executable)


def _is_equal_to_new_process(request: ForkRequest) -> bool:
    """Return whether nothing differs that this process cannot take over."""
    variables = _read_at_start(request.environment) == _read_at_start(os.environb)
    return variables and request.fixed == read_fixed_attributes() and _is_within_memory_limit()


def _is_within_memory_limit() -> bool:
    """Return whether this process may use more memory than the imports of the template need. A new process imports less."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return limit == resource.RLIM_INFINITY or _read_used_memory() + MEMORY_FOR_RUN < limit


def _read_used_memory() -> int:
    """Return the bytes that count for RLIMIT_DATA."""
    with open("/proc/self/status") as file:
        (data,) = (line.split()[1] for line in file if line.startswith("VmData:"))
    return int(data) * 1024


def _read_at_start(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    packages = ((each.modules[0].partition(".")[0], each.variables) for each in PRELOADABLE.values())
    imported = (names for library, names in (*packages, ("dask", READ_BY_DASK)) if library in sys.modules)
    prefixes = tuple(each.encode() for each in chain(READ_AT_START, *imported))
    return {name: value for name, value in environment.items() if name.startswith(prefixes)}


def _seed_numpy() -> None:
    """Seed NumPy's global generator again, as its import does: all forks have inherited the state of the template's."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _begin_prefect() -> None:
    """Read Prefect's settings from the environment, and make its log handlers again."""
    from prefect import context
    from prefect.logging.configuration import setup_logging

    context.GLOBAL_SETTINGS_CONTEXT = context.root_settings_context()
    setup_logging(incremental=False)


def execute_process(request: ForkRequest) -> NoReturn:
    """Become the process that is requested, which reads its `__main__`, import path, folder and function from a pipe.

    Raises:
        SystemExit: at the end of the process, with its exit code.
    """
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as name:
        name.write(child_process.PROCESS_NAME)
    data, tracker, *inherited = request.descriptors[3:]
    child_process.inherit_descriptors(inherited)
    resource_tracker._resource_tracker._fd = tracker  # type: ignore[attr-defined]  # as `spawn.spawn_main`
    sys.modules["__main__"] = ModuleType("__main__")
    importlib.invalidate_caches()
    sys.exit(spawn._main(data, os.dup(data)))  # the second is readable when the parent has ended


def execute_load(request: ForkRequest) -> NoReturn:
    """Load the flow that the user has just packed, and end with exit code 0, or print the exception and end with 1."""
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with open(request.environment[BODY], "rb") as file:
            cloudpickle.load(file)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def execute_run(connection: socket.socket) -> NoReturn:
    """Become the flow run of this process's environment.

    Args:
        connection: connection to the process that requested the run.

    Raises:
        SystemExit: at the end of the run, with its exit code.
    """
    _name_process()
    _begin_interpreter()
    code = _run_engine()
    with contextlib.suppress(OSError):
        connection.send(EXIT_STATUS.pack(FROM_FORK, code))
    sys.exit(code)


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
