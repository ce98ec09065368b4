"""Messages on the local stack's socket, and a client's connection that sends and receives them.

A message is one JSON object per line, with one request per connection. A connection with a lease request *is* the lease, which
lasts until the connection closes, however its holder ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
import weakref
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from satflow_ext.endpoints import Service, StackRecord
from satflow_ext.errors import StackFailed
from satflow_ext.lease.address import socket_path

if TYPE_CHECKING:
    from satflow_ext.settings import Settings

_open_connections: weakref.WeakSet[SupervisorConnection] = weakref.WeakSet()


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(_Message):
    """A request of a client: take a lease on services, start additional services without a lease, report, or stop the stack.

    `stay` keeps the stack running after its last lease, until a client stops it.
    """

    verb: Literal["lease", "start", "report", "stop"]
    needs: tuple[Service, ...] = ()
    stay: bool = False


class ServiceReport(_Message):
    """The state of one service. `url` has no credential; `restarts` counts the restarts after a death of its process.

    `last_end` describes the last death.
    """

    name: str
    state: Literal["starting", "ready", "failed"]
    pid: int | None
    url: str | None
    log: str
    restarts: int
    last_end: str | None = None


class StackReport(_Message):
    """The supervisor's report for `satflow status`.

    `stores` has the mark of each store, other than the built-in one, that flow runs of this stack can read from
    (`endpoints.fingerprint_store`). A mark reveals neither address nor credential.
    """

    pid: int
    started: datetime
    state: Literal["starting", "ready", "failed"]
    step: str | None
    stays: bool
    leases: int
    services: tuple[ServiceReport, ...]
    stores: dict[str, str] = {}


class Answer(_Message):
    """A line of the reply: a step of the start, then the record, the reason and fix of a failure, or the report."""

    step: str | None = None
    record: StackRecord | None = None
    failed: str | None = None
    fix: str | None = None
    report: StackReport | None = None


class ConnectionClosed(Exception):
    """The supervisor closed the connection before it answered: it is shutting down, or it died."""


class SupervisorConnection:
    """A connection that sends one request and reads answers.

    Args:
        settings: settings with the path of the supervisor's socket.

    Raises:
        OSError: no supervisor listens.
        StackFailed: a process of another user listens.
    """

    def __init__(self, settings: Settings) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(socket_path(settings)))
            _require_same_user(self._socket)
        except BaseException:
            self._socket.close()
            raise
        self._received = bytearray()
        _open_connections.add(self)

    def send_request(self, request: Request) -> None:
        """Send the request.

        Raises:
            ConnectionClosed: the supervisor closed the connection.
        """
        try:
            self._socket.sendall(request.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise ConnectionClosed from error

    def read_answer(self, deadline: float) -> Answer:
        """Wait for the next answer until `deadline` (of `time.monotonic`) and return it.

        Raises:
            ConnectionClosed: the supervisor closed the connection.
            TimeoutError: no answer arrived in time.
        """
        while b"\n" not in self._received:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                received = self._socket.recv(65536)
            except ConnectionError as error:
                raise ConnectionClosed from error
            if not received:
                raise ConnectionClosed
            self._received += received
        line, _, rest = self._received.partition(b"\n")
        self._received = bytearray(rest)
        return Answer.model_validate_json(line)

    def wait_closed(self, deadline: float) -> None:
        """Wait until the supervisor closes the connection.

        Raises:
            TimeoutError: the connection is still open at the deadline.
        """
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.read_answer(deadline)

    def close(self) -> None:
        """Close the connection and release its lease."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # needed if a forked child still holds the descriptor
        self._socket.close()

    def close_in_child(self) -> None:
        """Close only this process's descriptor, in a forked child whose parent keeps the connection."""
        self._socket.close()


def _require_same_user(connection: socket.socket) -> None:
    """Refuse a socket on which another user listens. Only Linux reports it; elsewhere the check of the folder must suffice."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if uid != os.getuid():
        raise StackFailed("Another user listens on the local stack's socket.", fix="Set SATFLOW_RUNTIME_DIR.")


def _close_all_in_child() -> None:
    for line in list(_open_connections):
        line.close_in_child()


os.register_at_fork(after_in_child=_close_all_in_child)
