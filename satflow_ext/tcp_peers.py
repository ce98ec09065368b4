"""The owner of the process at the other end of a TCP connection on the loopback interface.

Ports are not bound to a user: when a server dies, any user of the machine can listen on its port and receive the requests of
its clients. Linux records which user owns each socket and shows it to all users (`sock_diag(7)`, `/proc/net/tcp`).
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SOCK_DIAG = 4
"""`NETLINK_SOCK_DIAG`."""
BY_FAMILY = 20
"""`SOCK_DIAG_BY_FAMILY`."""
NLM_REQUEST = 1
"""`NLM_F_REQUEST`."""
ANY_STATE = 0xFFFF_FFFF
NO_COOKIE = (0xFFFF_FFFF, 0xFFFF_FFFF)
NETLINK_HEADER = struct.Struct("=IHHII")
TCP_LISTEN = 10
"""The state of a listening socket, `TCP_LISTEN`."""
OWNER_FIELDS = struct.Struct("=II")
OWNER_OFFSET = 64
"""Offset of user id and inode in `struct inet_diag_msg`."""

Address = tuple[str, int]


class ForeignListener(ConnectionError):
    """The process that listens on an address of this user's local stack belongs to another user."""


@dataclass(frozen=True)
class SocketOwner:
    """The owner of a TCP socket.

    Args:
        uid: the user's id; 0 until the connection is accepted.
        accepted: True if a process holds the socket; a connection in its listener's queue has no owner yet.
        listening: True for a listening socket.
    """

    uid: int
    accepted: bool
    listening: bool


def check_own_peer(connection: socket.socket) -> None:
    """Check that the server at the other end of a loopback connection is a process of this user.

    On a system that does not show the owners of sockets, no check is made.

    Args:
        connection: an established IPv4 connection, before anything is sent over it.

    Raises:
        ForeignListener: the server belongs to another user, or the connection has ended.
    """
    if connection.family != socket.AF_INET or not can_find_owners():
        return
    server, client = connection.getpeername(), connection.getsockname()
    # The order matters: a connection that is not accepted yet after the listener was found belongs to that listener.
    listener = find_owner(server, None)
    owner = find_owner(server, client)
    if owner is not None and not owner.listening and not owner.accepted:
        owner = listener
    if owner is None or owner.uid != os.geteuid():
        host, port = server
        raise ForeignListener(f"The process that listens on {host}:{port} does not belong to this user.")


def can_find_owners() -> bool:
    """Return whether this system shows the owners of sockets."""
    return sys.platform == "linux"


def find_owner(local: Address, remote: Address | None) -> SocketOwner | None:
    """Find the owner of an IPv4 socket of this machine.

    Args:
        local: the address that the socket is bound to.
        remote: the address that it is connected to; None for a listening socket.

    Returns:
        None if no such socket exists.
    """
    if not can_find_owners():
        return None
    with suppress(OSError):
        found = _query_netlink(local, remote or ("0.0.0.0", 0))  # noqa: S104  # not an address to bind to
        if found is not None:
            # The operating system answers with the listener if no such connection exists.
            return found if found.listening == (remote is None) else None
    return _search_table(local, remote)


def _query_netlink(local: Address, remote: Address) -> SocketOwner | None:
    """Look up one socket by netlink; the cost does not grow with the number of sockets."""
    addresses = struct.pack("!HH", local[1], remote[1]) + _pad_address(local) + _pad_address(remote)
    request_fields = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, ANY_STATE) + addresses
    body = request_fields + struct.pack("=III", 0, *NO_COOKIE)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)
        kernel.send(NETLINK_HEADER.pack(NETLINK_HEADER.size + len(body), BY_FAMILY, NLM_REQUEST, 1, 0) + body)
        answer = kernel.recv(65536)
    if NETLINK_HEADER.unpack_from(answer)[1] != BY_FAMILY:
        return None
    message = answer[NETLINK_HEADER.size :]
    uid, inode = OWNER_FIELDS.unpack_from(message, OWNER_OFFSET)
    return SocketOwner(uid, accepted=inode != 0, listening=message[1] == TCP_LISTEN)


def _pad_address(address: Address) -> bytes:
    return socket.inet_aton(address[0]).ljust(16, b"\0")


def _search_table(local: Address, remote: Address | None) -> SocketOwner | None:
    """Search the tables of all sockets, for systems without netlink."""
    ends = local, remote or ("0.0.0.0", 0)  # noqa: S104  # not an address to bind to
    for table, prefix in (("/proc/net/tcp", ""), ("/proc/net/tcp6", MAPPED_PREFIX)):
        found = _search_file(Path(table), [f"{prefix}{_format_address(each)}" for each in ends])
        if found is not None:
            return found
    return None


def _search_file(table: Path, ends: list[str]) -> SocketOwner | None:
    with suppress(OSError), table.open() as lines:
        for line in lines:
            fields = line.split()
            if fields[1:3] == ends:
                listening = int(fields[3], 16) == TCP_LISTEN
                return SocketOwner(int(fields[7]), accepted=fields[9] != "0", listening=listening)
    return None


def _format_address(address: Address) -> str:
    return f"{_format_word(socket.inet_aton(address[0]))}:{address[1]:04X}"


def _format_word(four: bytes) -> str:
    return f"{int.from_bytes(four, sys.byteorder):08X}"


MAPPED_PREFIX = 2 * _format_word(bytes(4)) + _format_word(b"\0\0\xff\xff")
"""Prefix of an IPv4 address in the table of IPv6 sockets, which may contain IPv4 connections as well."""
