"""Raw connections, for requests that no HTTP client would send."""

from __future__ import annotations

import asyncio
import contextlib

from satflow_ext.conformance.check_base import NotApplicable
from satflow_ext.conformance.probe import Probe

STATUS_TIMEOUT = 10.0
"""Seconds to wait for the first line of an answer."""


async def send_parts(probe: Probe, *parts: bytes, pause: float = 0.0, break_off: bool = False) -> int | None:
    """Send bytes on a new connection.

    Args:
        probe: probe of the store.
        parts: parts to send, one after the other.
        pause: seconds between two parts.
        break_off: close the sending side afterwards, as a killed process does.

    Returns:
        The status of the answer, None if the connection is closed without an answer or none arrives.

    Raises:
        NotApplicable: the store can only be reached through a proxy.
    """
    require_direct(probe)
    async with probe.open_raw_connection() as (reader, writer):
        with contextlib.suppress(ConnectionError):  # a store that refuses may close before everything is sent
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if break_off and writer.can_write_eof():
                writer.write_eof()
            elif break_off:
                return None
        return await read_status(reader)


async def read_status(reader: asyncio.StreamReader) -> int | None:
    """Read the status of the next final answer on a connection, and skip interim ones."""
    with contextlib.suppress(ConnectionError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
        while True:
            line = await asyncio.wait_for(reader.readline(), STATUS_TIMEOUT)
            if line.startswith(b"HTTP/1.") and (found := int(line.split()[1])) >= 200:
                return found
            if not line:
                return None
    return None


def require_direct(probe: Probe) -> None:
    """Check that the store can be reached without a proxy.

    Raises:
        NotApplicable: it can only be reached through a proxy.
    """
    if probe.behind_proxy:
        raise NotApplicable("the store can only be reached through a proxy")
