"""A listening socket that limits its open connections, so that no other user can exhaust the server's file descriptors.

Any user of the machine can connect to a loopback port and keep the connection open without a credential. A server keeps a
fixed number of those connections; one more closes the one that has been silent the longest. Connections of this user are
closed only when the process would run out of descriptors.
"""

from __future__ import annotations

import os
import resource
import socket
import struct
import weakref
from contextlib import suppress
from typing import Any

from satflow_ext.tcp_peers import can_find_owners, find_owner

FOREIGN_LIMIT = 64
"""Limit of open connections from other users."""

RESERVED_DESCRIPTORS = 256
"""Descriptors that are reserved for files and for the server's own outgoing connections."""

LAST_RECEIVED_OFFSET = 52
"""Offset of `tcpi_last_data_recv` in Linux's `struct tcp_info`: milliseconds since the peer sent data."""


class BoundedListener(socket.socket):
    """A listening TCP socket whose `accept` closes connections when too many are open.

    Args:
        descriptor: descriptor of a listening socket; this object takes ownership of it.
        foreign_limit: limit of open connections from other users.
    """

    def __init__(self, descriptor: int, foreign_limit: int = FOREIGN_LIMIT) -> None:
        super().__init__(fileno=descriptor)
        raise_descriptor_limit()
        self._foreign_limit = foreign_limit
        self._limit = max(foreign_limit, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - RESERVED_DESCRIPTORS)
        self._foreign_connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._own_connections: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Above the limit, close the connection of the same kind that has been silent the longest."""
        connection, address = super().accept()
        if self._is_own(address):
            _add_connection(connection, self._own_connections, self._limit)
        else:
            _add_connection(connection, self._foreign_connections, self._foreign_limit)
        return connection, address

    def _is_own(self, client: Any) -> bool:
        """Return whether the client belongs to this user. A client whose owner Linux does not report counts as another user's."""
        if not can_find_owners():
            return True
        owner = find_owner(client, self.getsockname()) if self.family == socket.AF_INET else None
        return owner is not None and owner.uid == os.geteuid()


def raise_descriptor_limit() -> None:
    """Raise this process's soft limit of open descriptors to the hard limit, at most to 65,536."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < limit:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _add_connection(connection: socket.socket, connections: weakref.WeakSet[socket.socket], limit: int) -> None:
    if len(connections) >= limit:
        open_ones = [each for each in connections if each.fileno() >= 0]
        connections.clear()
        connections.update(open_ones)
        if len(open_ones) >= limit:
            _shut_down(max(open_ones, key=_read_silence), connections)
    connections.add(connection)


def _shut_down(connection: socket.socket, connections: weakref.WeakSet[socket.socket]) -> None:
    """Shut a connection down; the server then reads the end of the stream and closes it."""
    connections.discard(connection)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _read_silence(connection: socket.socket) -> int:
    """Return the milliseconds since the peer sent data, or since it connected."""
    try:
        answer = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_RECEIVED_OFFSET + 4)
        return int(struct.unpack_from("=I", answer, LAST_RECEIVED_OFFSET)[0])
    except (OSError, struct.error):
        return 0
