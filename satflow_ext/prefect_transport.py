"""Requests to a Prefect server whose SQLite database is being written to by another client.

Prefect starts many of its transactions deferred. One that has read, and wants to write after another has written, fails at
once, regardless of SQLite's busy time-out. The server then answers 503 and has changed nothing. The database is free again
within milliseconds, but Prefect's client retries only after 2, 4 and 8 s, and with several writers each of these may fail too.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time

import httpx

RETRY_SECONDS = 15.0
"""Seconds of retries. Requests that are refused for longer are left to the client's own, slower retries."""

RETRY_PAUSE = (0.02, 0.2)
"""Shortest and longest seconds between two attempts; random, so that two clients that collided do not collide again."""

CONNECT_RETRIES = 3
"""Attempts to connect: the value that Prefect's client sets on the transport that this one replaces."""


class PersistentTransport(httpx.AsyncHTTPTransport):
    """A transport that resends a request that was refused because of a concurrent write.

    Args:
        verify: TLS context of the connections; True means the default certificates.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        super().__init__(verify=verify, retries=CONNECT_RETRIES)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return a 503 only if the server gave no other response for `PATIENCE` seconds."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            response = await super().handle_async_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return response
            await response.aclose()
            await asyncio.sleep(random.uniform(*RETRY_PAUSE))  # noqa: S311 - not a secret
