"""Owners of sockets, and what a bounded listener makes of a client whose owner is not to be found."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from satflow_ext.bounded_listener import BoundedListener
from satflow_ext.tcp_peers import _query_netlink, _search_table

FAMILIES = pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv4-mapped IPv6"])


@contextmanager
def connected(family: socket.AddressFamily, server: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """A client's address, in the form of IPv4, while it is connected by a socket of that family."""
    with socket.socket(family) as client:
        client.connect(server if family == socket.AF_INET else (f"::ffff:{server[0]}", server[1]))
        yield "127.0.0.1", client.getsockname()[1]


@FAMILIES
def test_the_table_of_sockets_shows_the_same_owner_as_netlink(family: socket.AddressFamily) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = listener.getsockname()
        with connected(family, server) as client:
            found = _search_table(client, server)
            assert found is not None
            assert found.uid == os.geteuid()
            assert found == _query_netlink(client, server)
        assert _search_table(server, None) == _query_netlink(server, ("0.0.0.0", 0))


@FAMILIES
def test_a_connection_of_this_user_counts_as_its_own(family: socket.AddressFamily) -> None:
    listener = BoundedListener(socket.create_server(("127.0.0.1", 0)).detach())
    with listener, connected(family, listener.getsockname()), listener.accept()[0] as connection:
        assert connection in listener._own_connections


def test_a_connection_without_an_owner_counts_as_another_users() -> None:
    listener = BoundedListener(socket.create_server(("127.0.0.1", 0)).detach())
    with listener:
        with socket.create_connection(listener.getsockname()) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # no socket is left of it
        with listener.accept()[0] as connection:
            assert connection in listener._foreign_connections
