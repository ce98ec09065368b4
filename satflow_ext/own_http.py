"""HTTP to this user's local stack that sends nothing to a server of another user.

The processes that use the local stack keep its address and credential after its end. A process of another user that then
listens on that port must not receive the credential.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from satflow_ext.tcp_peers import ForeignListener, check_own_peer


def require_own_listeners(transport: httpx.AsyncHTTPTransport) -> None:
    """Make a transport reject connections to servers that do not belong to this user."""
    pool = transport._pool
    assert isinstance(pool, httpcore.AsyncConnectionPool)
    pool._network_backend = _OwnListenerBackend(pool._network_backend)


class _OwnListenerBackend(httpcore.AsyncNetworkBackend):
    """A network backend that checks the server of a connection before it is used.

    Args:
        backend: the backend that opens the connections.
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
        """Connect, and check that the server belongs to this user.

        Raises:
            httpcore.ConnectError: the connection failed, or its server belongs to another user.
        """
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        try:
            check_own_peer(stream.get_extra_info("socket"))
        except OSError as error:
            await stream.aclose()
            reason = str(error) if isinstance(error, ForeignListener) else f"The connection broke: {error}"
            raise httpcore.ConnectError(reason) from error
        return stream

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a Unix socket, which is protected by the permissions of its folder."""
        return await self._backend.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)
