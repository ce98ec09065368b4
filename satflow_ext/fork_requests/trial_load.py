"""A trial load of a packed flow in a fork of the template: whether flow runs of this machine can load it.

It takes a tenth of a second, because the template has imported what a flow run imports.
"""

from __future__ import annotations

import os
import select
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from satflow_ext.fork_requests.child_process import RUN_SOCKET
from satflow_ext.fork_requests.start_run import LOAD, START, request_fork, wait_for_end

TEMPLATES_LINK = "run-templates"
"""Name of the link to the folder of the sockets of templates, in the runtime folder of the local stack."""


SET_ASIDE_SUFFIX = ".set-aside"
"""Suffix of the file, next to the socket of a template that is set aside, with the reason."""

BODY = b"SATFLOW_LOAD_BODY"
"""Variable of a request with the path of the pickle."""
INTERPRETER = b"SATFLOW_LOAD_INTERPRETER"
"""Variable of a request with the interpreter of the flow runs; another one's template loads nothing."""
PRIVATE_UMASK = b"63"


class LoadResult(NamedTuple):
    """The result of a load: the exit status, negative for a signal, and what was written to standard error."""

    status: int
    errors: str


def load_in_fork(body: Path, python: str, runtime_dir: Path, *, limit: float) -> LoadResult | None:
    """Load a pickle in a fork of the template of this machine's local stack.

    Args:
        body: path of the pickle, which this process has just written.
        python: the interpreter of its flow runs.
        runtime_dir: the runtime folder of the local stack.
        limit: maximum time in seconds.

    Returns:
        The result, or None if there is none: no template runs, it is of another interpreter, the load took too long, or
        the disk is full.
    """
    try:
        with tempfile.TemporaryDirectory(dir=body.parent) as folder, tempfile.TemporaryFile() as errors:
            # The link is read here, because the path of a unix socket may have about 100 bytes.
            socket = (runtime_dir / TEMPLATES_LINK).readlink() / RUN_SOCKET
            status = _request_load(str(socket), _encode_request(body, folder, python), errors.fileno(), limit)
            errors.seek(0)
            return None if status is None else LoadResult(status, errors.read().decode(errors="replace"))
    except OSError:  # no template, or no room for temporary files, which what follows reports
        return None


def _encode_request(body: Path, folder: str, python: str) -> bytes:
    variables = {BODY: os.fsencode(body.resolve()), INTERPRETER: os.fsencode(python)}
    assignments = (name + b"=" + value for name, value in variables.items())
    return b"\0".join([os.fsencode(folder), PRIVATE_UMASK, b"", *assignments])


def _request_load(socket: str, request: bytes, errors: int, limit: float) -> int | None:
    with open(os.devnull, "r+b") as nothing:
        streams = [nothing.fileno(), nothing.fileno(), errors]
        connection, process_id = request_fork(socket, LOAD, streams, request)
    with closing(connection), os.fdopen(os.pidfd_open(process_id)) as process:
        connection.sendall(START)
        poll = select.poll()
        poll.register(process, select.POLLIN)
        # The end of the connection ends a fork that takes too long.
        return wait_for_end(connection, process.fileno()) if poll.poll(1000 * limit) else None
