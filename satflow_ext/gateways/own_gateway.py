"""dask-gateway's client for the local stack's Dask Gateway, which sends nothing to a server of another user.

The client opens connections on demand, possibly long after the gateway has ended, and sends the credential or its session
cookie over each of them. Each connection is therefore checked before anything is sent.
"""

from __future__ import annotations

from typing import Any

from aiohttp import ClientSession, CookieJar, TCPConnector
from aiohttp.client_proto import ResponseHandler
from dask_gateway import Gateway, GatewayCluster

from satflow_ext.tcp_peers import check_own_peer


class OwnGateway(Gateway):  # type: ignore[misc]  # dask-gateway is not typed
    """A client that connects only to servers of this user."""

    _session: ClientSession | None

    async def _request(self, *arguments: Any, **options: Any) -> Any:
        if self._session is None:  # at first, and after the client was closed; otherwise as in dask-gateway
            self._session = ClientSession(connector=_OwnServerConnector(), cookie_jar=CookieJar(unsafe=True))
        return await super()._request(*arguments, **options)

    def connect(self, cluster_name: str, shutdown_on_close: bool = False) -> GatewayCluster:
        """Connect to a cluster. Its object also connects only to servers of this user."""
        return _OwnGatewayCluster.from_name(
            cluster_name,
            shutdown_on_close=shutdown_on_close,
            address=self.address,
            public_address=self._public_address,
            proxy_address=self.proxy_address,
            auth=self.auth,
            asynchronous=self.asynchronous,
            loop=self.loop,
        )


class _OwnGatewayCluster(GatewayCluster):  # type: ignore[misc]
    async def _start_internal(self) -> Any:
        self.gateway.__class__ = OwnGateway  # created by dask-gateway and not used yet
        return await super()._start_internal()


class _OwnServerConnector(TCPConnector):
    """Connections that are checked before they are used."""

    async def _create_connection(self, *arguments: Any, **options: Any) -> ResponseHandler:
        """Connect, and check that the server belongs to this user.

        Raises:
            OSError: the connection failed, or the server belongs to another user.
        """
        protocol = await super()._create_connection(*arguments, **options)
        try:
            assert protocol.transport is not None
            check_own_peer(protocol.transport.get_extra_info("socket"))
        except BaseException:
            protocol.close()
            raise
        return protocol
