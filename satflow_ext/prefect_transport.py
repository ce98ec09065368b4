"""Requests to a Prefect server whose SQLite database is being written to by somebody else.

Prefect begins many of its transactions deferred: one that has read, and wants to write after another has written, fails at once,
however long SQLite's busy time-out is. The server then answers 503 and has done nothing. The turn comes within milliseconds, but
Prefect's client asks again after 2, 4 and 8 s only, and with several writers every one of those may hit another's turn.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time

import httpx

PATIENCE = 15.0
"""Seconds to ask again for. What is refused longer than that is left to the client's own, slower retries."""

PAUSE = (0.02, 0.2)
"""Shortest and longest seconds between two attempts; by chance, so that two who collided do not collide again."""

CONNECT_RETRIES = 3
"""Attempts to connect, as Prefect's client sets it on the transport that this one takes the place of."""


class PersistentTransport(httpx.AsyncHTTPTransport):
    """Sends a request that was refused for another's turn again until it is taken.

    Args:
        verify: what a TLS connection is checked with; True is the usual certificates.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        super().__init__(verify=verify, retries=CONNECT_RETRIES)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, which is a 503 only where the server gave no other for `PATIENCE` seconds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            response = await super().handle_async_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return response
            await response.aclose()
            await asyncio.sleep(random.uniform(*PAUSE))  # noqa: S311 - no secret
