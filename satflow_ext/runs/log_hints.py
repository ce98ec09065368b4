"""Hints about new log lines of a run, from Prefect's log socket.

The socket drops lines for a slow reader (beyond 256), loses those that are sent during a disconnection, and is silent on a
server with default settings. So its messages are used only as triggers to read the log.
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

from satflow_ext.endpoints import PrefectApi, is_on_loopback
from satflow_ext.tcp_peers import check_own_peer

RECONNECT_PAUSE = 5.0
"""Seconds until the next attempt to connect."""


async def listen_for_hints(api: PrefectApi, run_id: UUID, on_hint: Callable[[], None]) -> None:
    """Call `on_hint` for each line of the run that the socket sends. Runs until cancelled.

    Args:
        api: the Prefect API; one without a log socket gives no hints.
        run_id: id of the flow run.
        on_hint: called in the event loop; must be quick.
    """
    while True:
        # Without hints the follower reads once a second: lines arrive later, and none are lost.
        with suppress(OSError, WebSocketException, TimeoutError, ValueError):
            await _listen_once(api, run_id, on_hint)
        await asyncio.sleep(RECONNECT_PAUSE)


async def _listen_once(api: PrefectApi, run_id: UUID, on_hint: Callable[[], None]) -> None:
    url = api.url.replace("http", "ws", 1).rstrip("/") + "/logs/out"
    proxy: Literal[True] | None = None if is_on_loopback(url) else True  # True: the proxy of the environment
    async with connect(url, subprotocols=[Subprotocol("prefect")], proxy=proxy) as socket:
        if api.local:
            check_own_peer(socket.transport.get_extra_info("socket"))
        await socket.send(json.dumps({"type": "auth", "token": api.auth_string or api.api_key}))
        if json.loads(await socket.recv()).get("type") != "auth_success":
            return
        await socket.send(json.dumps({"type": "filter", "filter": {"flow_run_id": {"any_": [str(run_id)]}}}))
        async for _ in socket:
            on_hint()
