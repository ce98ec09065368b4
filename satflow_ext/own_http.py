"""HTTP to this user's local stack: nothing is sent to a server that belongs to another user.

The address and the credential of the local stack outlive it in the processes that use it. Whoever listens at that port then
must not receive the credential.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from satflow_ext.tcp_peers import ForeignListener, need_own_peer


def connect_to_own_listeners_only(transport: httpx.AsyncHTTPTransport) -> None:
    """Let a transport send nothing over a connection whose server does not belong to this user; such a connection fails."""
    pool = transport._pool
    assert isinstance(pool, httpcore.AsyncConnectionPool)
    pool._network_backend = _OwnListeners(pool._network_backend)


class _OwnListeners(httpcore.AsyncNetworkBackend):
    """Connections that are checked before they are used.

    Args:
        backend: makes them.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect, and check whose server it is.

        Raises:
            httpcore.ConnectError: no connection was made, or it belongs to another user.
        """
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        try:
            need_own_peer(stream.get_extra_info("socket"))
        except OSError as error:
            await stream.aclose()
            reason = str(error) if isinstance(error, ForeignListener) else f"The connection broke: {error}"
            raise httpcore.ConnectError(reason) from error
        return stream

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a Unix socket, whose folder says who may listen there."""
        return await self._backend.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)
