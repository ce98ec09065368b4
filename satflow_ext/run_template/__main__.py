"""The program of the template process: `python -m satflow_ext.run_template --socket PATH`.

Standard input is a pipe from the stack's supervisor. With `--listener FD PID:FD…`, the program continues for a former one of the
same process, with its listening socket and its forks.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import socket
from pathlib import Path

from satflow_ext.lease.start import STACK_MARK
from satflow_ext.run_template.forked_run import execute_run
from satflow_ext.run_template.template import RunTemplate, open_socket
from satflow_ext.stack import stack_processes

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
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    if arguments.listener is None:
        listener = open_socket(arguments.socket)
    else:
        listener = socket.socket(fileno=arguments.listener)
        listener.set_inheritable(False)
    mark = os.environ.get(STACK_MARK)
    template = RunTemplate(
        listener,
        lifeline=0,
        on_orphaned=lambda: stack_processes.end_clients(mark) if mark else None,
        forks=dict(map(_parse_fork, arguments.forks)),
    )
    execute_run(template.serve())


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
