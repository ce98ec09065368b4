"""Hints that a run has new log lines, from Prefect's log socket.

The socket drops what a slow reader does not take (beyond 256 lines), forgets what was sent during a cut, and on a server with
default settings says nothing at all. So nothing is taken from it but the moment to look.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Literal
from uuid import UUID

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from satflow_ext.endpoints import PrefectApi, on_loopback
from satflow_ext.tcp_peers import need_own_peer

AGAIN = 5.0
"""Seconds until the next attempt to connect."""


async def hint(api: PrefectApi, run_id: UUID, on_hint: Callable[[], None]) -> None:
    """Call `on_hint` for each line of the run that the socket tells of. Ends only by being cancelled.

    Args:
        api: the Prefect API; one that has no log socket gives no hints.
        run_id: the flow run.
        on_hint: called in the event loop; has to be quick.
    """
    while True:
        # Without hints the follower looks once a second: later, and nothing is lost.
        with suppress(OSError, WebSocketException, TimeoutError, ValueError):
            await _listen(api, run_id, on_hint)
        await asyncio.sleep(AGAIN)


async def _listen(api: PrefectApi, run_id: UUID, on_hint: Callable[[], None]) -> None:
    url = api.url.replace("http", "ws", 1).rstrip("/") + "/logs/out"
    proxy: Literal[True] | None = None if on_loopback(url) else True  # True: as the environment says
    async with connect(url, subprotocols=[Subprotocol("prefect")], proxy=proxy) as socket:
        if api.local:
            need_own_peer(socket.transport.get_extra_info("socket"))
        await socket.send(json.dumps({"type": "auth", "token": api.auth_string or api.api_key}))
        if json.loads(await socket.recv()).get("type") != "auth_success":
            return
        await socket.send(json.dumps({"type": "filter", "filter": {"flow_run_id": {"any_": [str(run_id)]}}}))
        async for _ in socket:
            on_hint()
