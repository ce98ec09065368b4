"""Start Prefect's engine as a fork of the template process, and end as it ends: `python -I -S start_run.py SOCKET`.

With `--without-fork COMMAND…`, it becomes that command. In both cases it first applies the memory limit of the run.

The Prefect worker treats this process as the flow run: its signals are passed on, its standard streams, folder and environment
are the run's, and its exit status is the run's. Without a template process, it replaces itself by Prefect's engine.

It is run by its path and without the `site` module, so that it takes milliseconds. Therefore it imports nothing of this package.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

ENGINE = "prefect.engine"
ENGINE_COMMAND = [sys.executable, "-m", ENGINE]
"""Runs Prefect's engine with this interpreter."""

READY = b"r"
"""The fork's first message. Streams that are sent to a process that hangs would stay open until its end."""
RUN, PROCESS, LOAD = b"r", b"p", b"l"
"""The answer: the fork becomes a flow run, a process that a flow run starts, or a trial load of a packed flow."""
LENGTH = struct.Struct("=I")
"""Precedes a request: the number of its bytes."""
PROCESS_ID = struct.Struct("=i")
"""The fork's answer: its process id, or 0 if it cannot become what is requested."""
START = b"g"
"""Sent to the fork when this process watches it. Without this byte the fork ends, so that nothing is started twice."""
EXIT_STATUS = struct.Struct("=ci")
"""Sent at the end: who reports it, and an exit code, or the negative of a signal."""
FROM_FORK = b"f"
"""The fork reports the exit code that it is about to end with."""
FROM_TEMPLATE = b"t"
"""The template reports how the fork has ended."""

WITHOUT_FORK = "--without-fork"
MEMORY_LIMIT = "SATFLOW_MEMORY_LIMIT"
"""Variable of a flow run with the bytes of memory that each of its processes may use."""
REPORT_RESERVE = 64 * 1024**2
"""Bytes that a process may use in addition to report that it has exceeded its memory limit (`use_report_reserve`)."""

PASSED_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
START_PATIENCE = 30.0
"""Seconds until a template that does not answer counts as unable to fork."""
TEMPLATE_PATIENCE = 5000
"""Milliseconds after the end of a fork in which its template reports it, unless the template has ended as well."""
UNREPORTED_STATUS = -signal.SIGKILL
"""Exit status of a fork that ended without a message, together with the template: both were killed."""


def is_supported() -> bool:
    """Return whether this system has what forked flow runs need (Linux 5.3 or later)."""
    process = _open_process(os.getpid())
    if process is not None:
        os.close(process)
    return process is not None


def choose_run_start(wanted: str | None) -> str:
    """Return how flow runs of this machine start: `fork`, `spare` or `exec`.

    Args:
        wanted: the setting `run_start`.
    """
    if wanted is None or wanted == "fork":
        return "fork" if is_supported() else "spare"
    return wanted


def _open_process(process_id: int) -> int | None:
    """Return a descriptor of a process, or None if this system has none."""
    try:
        return os.pidfd_open(process_id)
    except (AttributeError, OSError):
        return None


def can_limit_memory() -> bool:
    """Return whether this system counts all private memory for RLIMIT_DATA (Linux 4.7 or later)."""
    return sys.platform == "linux"


def limit_memory(environment: Mapping[bytes, bytes]) -> None:
    """Apply the memory limit of a flow run to this process and the processes that it starts.

    RLIMIT_DATA counts private writable memory. RLIMIT_AS would also count what threads and allocators only reserve.

    Args:
        environment: the variables of the flow run.
    """
    limit = environment.get(MEMORY_LIMIT.encode())
    if limit is not None and can_limit_memory():
        wanted = int(limit), int(limit) + REPORT_RESERVE
        _, highest = resource.getrlimit(resource.RLIMIT_DATA)
        soft, hard = wanted if highest == resource.RLIM_INFINITY else (min(each, highest) for each in wanted)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def use_report_reserve() -> None:
    """Let this process use its reserve, so that it can report that it has exceeded its memory limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def main() -> NoReturn:
    """Start the run as a fork, or become the run."""
    limit_memory(os.environb)
    if sys.argv[1] == WITHOUT_FORK:
        os.execvp(sys.argv[2], sys.argv[2:])
    fork = _start_fork(sys.argv[1])
    if fork is None:
        os.execv(sys.executable, ENGINE_COMMAND)
    end_like(wait_for_end(*fork))


def _start_fork(path: str) -> tuple[socket.socket, int | None] | None:
    """Start the run in a fork of the template.

    Args:
        path: path of the template's socket.

    Returns:
        The connection to the fork and a descriptor of its process, if this system has them; None if the template cannot start
        this run.
    """
    try:
        connection, process_id = request_fork(path, RUN, [0, 1, 2])
    except OSError:
        return None
    try:
        process = _open_process(process_id)  # the fork lives: it waits for the next byte
        for each in PASSED_SIGNALS:
            signal.signal(each, _make_passer(process, process_id))
        connection.sendall(START)
    except OSError:
        connection.close()
        return None
    return connection, process


def request_fork(
    path: str, kind: bytes, descriptors: Sequence[int], request: bytes | None = None
) -> tuple[socket.socket, int]:
    """Ask the template for a fork. The fork then waits for `START`.

    Args:
        path: path of the template's socket.
        kind: `RUN`, `PROCESS` or `LOAD`.
        descriptors: files to send to the fork. The first three become its standard streams.
        request: see `encode_request`; None for a fork with this process's environment and folder.

    Returns:
        The connection to the fork, and its process id.

    Raises:
        OSError: the template does not answer, or a fork of it would differ from a new process.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(START_PATIENCE)
    try:
        connection.connect(path)
        receive_exactly(connection, len(READY))
        connection.sendall(kind)
        request = request or encode_request()
        socket.send_fds(connection, [LENGTH.pack(len(request))], descriptors)
        connection.sendall(request)
        (process_id,) = PROCESS_ID.unpack(receive_exactly(connection, PROCESS_ID.size))
        if process_id == 0:
            raise ConnectionRefusedError  # noqa: TRY301  # closes the connection, as all failures
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return connection, process_id


def encode_request() -> bytes:
    """Encode the folder, the umask, the fixed attributes and the environment of this process, separated by null bytes."""
    umask = os.umask(0o077)
    os.umask(umask)
    variables = [name + b"=" + value for name, value in os.environb.items()]
    return b"\0".join([os.fsencode(os.getcwd()), str(umask).encode(), read_fixed_attributes(), *variables])


def read_fixed_attributes() -> bytes:
    """Return what a process inherits from its parent and a fork of another process cannot take over, as text."""
    limits = [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")]
    try:
        with open("/proc/self/cgroup", "rb") as file:
            group = file.read()
    except OSError:
        group = b""
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    numbers = [os.getpriority(os.PRIO_PROCESS, 0), processors, limits]
    return repr(numbers).encode() + group


def receive_exactly(connection: socket.socket, size: int) -> bytes:
    """Receive a message of that many bytes.

    Raises:
        ConnectionError: the connection ended before.
    """
    received = b""
    while len(received) < size:
        piece = connection.recv(size - len(received))
        if not piece:
            raise ConnectionError
        received += piece
    return received


def wait_for_end(connection: socket.socket, process: int | None) -> int:
    """Wait for the end of the fork, and return its exit status as the template reports it.

    If the template has ended before, or the process is a spare interpreter, the exit code that it has announced counts; without
    one, it was killed. Without a descriptor of the process, the end of the connection is its end.
    """
    poll, timeout = select.poll(), None
    poll.register(connection, select.POLLIN)
    if process is not None:
        poll.register(process, select.POLLIN)
    announced = UNREPORTED_STATUS
    while ready := [descriptor for descriptor, _ in poll.poll(timeout)]:
        if connection.fileno() in ready:
            try:
                sender, status = EXIT_STATUS.unpack(receive_exactly(connection, EXIT_STATUS.size))
            except OSError:
                break
            if sender == FROM_TEMPLATE:
                return int(status)
            announced = status
        elif process is not None:
            poll.unregister(process)
            timeout = TEMPLATE_PATIENCE
    return announced


def end_like(status: int) -> NoReturn:
    """End this process with an exit status: an exit code, or the negative of a signal."""
    if status < 0:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if status >= 0 else 128 - status)


def _make_passer(process: int | None, process_id: int) -> Callable[[int, object], None]:
    def pass_on(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            if process is None:
                os.kill(process_id, number)
            else:
                signal.pidfd_send_signal(process, number)

    return pass_on


if __name__ == "__main__":
    main()
