"""A flow run in a fork of the template: the process becomes what `python -m prefect.engine` would be."""

from __future__ import annotations

import contextlib
import importlib
import os
import runpy
import signal
import socket
import sys
from multiprocessing import process as multiprocessing_process
from types import ModuleType
from typing import NoReturn

from satflow_ext.fork_requests.start_run import ENGINE, ENGINE_COMMAND, EXIT_STATUS, FROM_FORK
from satflow_ext.runtime.this_run import RUN_ID

SHOWN_ID_LENGTH = 8
"""Characters of a run's id in the name of its process, which may have 15."""


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
