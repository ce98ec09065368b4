"""The program of a template process: `python -m satflow_ext.run_template --socket PATH`.

Standard input is a pipe from the Prefect worker. With `--spare`, it is a spare interpreter instead, which becomes the first
flow run that is requested. With `--listener FD PID:FD…`, the program continues for a former one of the same process, with its
listening socket and its forks.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from satflow_ext.fork_requests import child_process, preloaded_packages
from satflow_ext.fork_requests.start_run import LOAD, PROCESS, RUN
from satflow_ext.run_template.fork import accept_request, execute_load, execute_process, execute_run, take_over
from satflow_ext.run_template.template import (
    MODULE,
    FileStates,
    RunTemplate,
    accept_once,
    end_with_requester,
    open_socket,
    read_states,
)
from satflow_ext.runtime.quick_engine import speed_up_engine

PRELOADED = (
    "anyio._backends._asyncio",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "encodings.idna",
    "prefect.main",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.deployments.steps.core",
    "prefect.locking._filelock",
    "prefect.runner",
    "prefect._internal.metrics",
    "pydantic.v1",
    "satflow_ext.dask_tasks.run_files",
    "satflow_ext.executors.flow_cluster",
    "satflow_ext.executors.processes",
    "satflow_ext.results.document",
    "satflow_ext.runtime.load",
)
"""What each flow run imports."""

PRELOADED_FOR_DASK = (
    *("distributed", "distributed.http", "prefect_dask.task_runners"),
    "satflow_ext.clusters.monitored_task_runner",
    "satflow_ext.dask_tasks.client_security",
    "satflow_ext.dask_tasks.on_worker",
    "satflow_ext.dask_tasks.worker_context",
    "satflow_ext.run_template.worker",  # the first task loads Prefect's collections, of which this is one
    *("multiprocessing.synchronize", "tornado.platform.asyncio"),
)
"""What each Dask worker imports in addition until the end of its first task."""


def main() -> None:
    """Import, listen and fork."""
    arguments = _parse_arguments()
    # Dask first, as in a Dask worker: it configures its loggers in another way after Prefect.
    for module in (*(PRELOADED_FOR_DASK if arguments.dask else ()), *PRELOADED):
        preload(module)
    speed_up_engine()
    states: FileStates = {}
    options = ["--dask"] if arguments.dask else []
    if arguments.packages is not None:
        states = read_states([arguments.packages])  # before it is read, so that no change is missed
        options += ["--packages", arguments.packages]
        import_used_packages(Path(arguments.packages), forks=not arguments.spare)
    if arguments.spare:
        _wait_as_spare(arguments.socket)
        return
    gc.collect()
    gc.freeze()
    if arguments.listener is None:
        listener = open_socket(arguments.socket)
    else:
        listener = socket.socket(fileno=arguments.listener)
        listener.set_inheritable(False)
    path = Path(listener.getsockname())
    forks = dict(map(_parse_fork, arguments.forks))
    connection = RunTemplate(listener, 0, forks, options, states).serve()
    if connection is not None:
        _execute_fork(connection, path.parent)
    _remove_socket(path)


def _wait_as_spare(path: Path) -> None:
    """Become the one flow run that is requested, or end with the Prefect worker."""
    connection = accept_once(path, 0)
    if connection is not None:
        request = accept_request(connection)
        if request is not None and request.kind == RUN:
            take_over(request)
            end_with_requester(connection)
            execute_run(connection)
    _remove_socket(path)


def preload(module: str) -> None:
    """Import a module. Report why it cannot be imported: what needs it then imports it itself, and fails with the reason."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:  # not every release of Prefect has each, and Dask is optional
        pass
    except Exception as error:
        sys.stderr.write(f"The template cannot import {module}: {type(error).__name__}: {error}\n")


def import_used_packages(folder: Path, *, forks: bool) -> None:
    """Import the packages that flow runs of this machine use.

    A fork ends the threads of OpenBLAS, which its next use starts again. Other threads would forbid all later forks: then this
    program begins again without the packages.

    Args:
        folder: see `preloaded_packages.packages_folder`.
        forks: whether this process will fork; a spare interpreter may have threads.
    """
    added = {name: value for name, value in preloaded_packages.BEFORE_IMPORT.items() if name not in os.environ}
    os.environ.update(added)
    names = list(preloaded_packages.read_used_packages(folder))
    for name in names:
        for module in preloaded_packages.PRELOADABLE[name].modules:
            preload(module)
    for name in added:
        del os.environ[name]
    if forks and names and not ends_threads_by_fork():
        sys.stderr.write(f"The template has threads after the import of {', '.join(names)}: flow runs import them.\n")
        os.execv(sys.executable, [sys.executable, "-m", MODULE, *_without_packages(sys.argv[1:])])


def ends_threads_by_fork() -> bool:
    """Fork once, for the sake of fork handlers. Return whether this process has one thread afterwards."""
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    return len(os.listdir("/proc/self/task")) == 1


def _without_packages(arguments: list[str]) -> list[str]:
    position = arguments.index("--packages")
    return arguments[:position] + arguments[position + 2 :]


def _execute_fork(connection: socket.socket, templates: Path) -> NoReturn:
    """Become the flow run or the process that is requested on this connection.

    Args:
        connection: connection to the process that requests it.
        templates: folder of the sockets of templates.

    Raises:
        SystemExit: at the end, with the exit code.
    """
    request = accept_request(connection)
    if request is None:
        os._exit(0)
    take_over(request)
    if request.kind == PROCESS:
        execute_process(request)
    if request.kind == LOAD:
        execute_load(request)
    child_process.use_templates(templates)
    execute_run(connection)


def _remove_socket(path: Path) -> None:
    """Remove the socket, and its folder if it contains nothing else."""
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=Path)
    parser.add_argument("--dask", action="store_true", help="import what Dask workers import")
    parser.add_argument("--spare", action="store_true", help="become the first flow run instead of forking")
    parser.add_argument("--packages", help="folder with the names of packages to import")
    parser.add_argument("--listener", type=int)
    parser.add_argument("forks", nargs="*")
    return parser.parse_args()


def _parse_fork(text: str) -> tuple[int, socket.socket]:
    pid, _, descriptor = text.partition(":")
    connection = socket.socket(fileno=int(descriptor))
    connection.set_inheritable(False)
    return int(pid), connection


if __name__ == "__main__":
    main()
