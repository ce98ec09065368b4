"""The program of the template process: `python -m satflow_ext.run_template --socket PATH`.

Standard input is a pipe from the Prefect worker. With `--listener FD PID:FD…`, the program continues for a former one of the
same process, with its listening socket and its forks.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import socket
from pathlib import Path

from satflow_ext.run_template.forked_run import execute_run
from satflow_ext.run_template.template import RunTemplate, open_socket

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
    "satflow_ext.dask_tasks.run_files",
    "satflow_ext.executors.flow_cluster",
    "satflow_ext.runtime.load",
)
"""What each flow run imports."""


def main() -> None:
    """Import, listen and fork."""
    arguments = _parse_arguments()
    for module in PRELOADED:
        with contextlib.suppress(ImportError):  # not every release of Prefect has each
            importlib.import_module(module)
    gc.collect()
    gc.freeze()
    if arguments.listener is None:
        listener = open_socket(arguments.socket)
    else:
        listener = socket.socket(fileno=arguments.listener)
        listener.set_inheritable(False)
    connection = RunTemplate(listener, lifeline=0, forks=dict(map(_parse_fork, arguments.forks))).serve()
    if connection is not None:
        execute_run(connection)
    _remove_socket(Path(listener.getsockname()))


def _remove_socket(path: Path) -> None:
    """Remove the socket, and its folder if it contains nothing else."""
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=Path)
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
