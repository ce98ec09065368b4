"""Bytes as they are, for requests that no HTTP client would send."""

from __future__ import annotations

import asyncio
import contextlib

from satflow_ext.conformance.check_base import NotApplicable
from satflow_ext.conformance.probe import Probe

PATIENCE = 10.0
"""Seconds to wait for the first line of an answer."""


async def send(probe: Probe, *parts: bytes, pause: float = 0.0, break_off: bool = False) -> int | None:
    """Send bytes on a connection of their own.

    Args:
        probe: of which store.
        parts: what is sent, one after the other.
        pause: seconds between two parts.
        break_off: close the sending side afterwards, as a process that is killed does.

    Returns:
        the status of the answer, None where the connection is closed without one or nothing comes.

    Raises:
        NotApplicable: the store is reached through a proxy only.
    """
    require_direct(probe)
    async with probe.connection() as (reader, writer):
        with contextlib.suppress(ConnectionError):  # who refuses may close before everything has been sent
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if break_off and writer.can_write_eof():
                writer.write_eof()
            elif break_off:
                return None
        return await status(reader)


async def status(reader: asyncio.StreamReader) -> int | None:
    """The status of the next answer on a connection that is no interim one."""
    with contextlib.suppress(ConnectionError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
        while True:
            line = await asyncio.wait_for(reader.readline(), PATIENCE)
            if line.startswith(b"HTTP/1.") and (found := int(line.split()[1])) >= 200:
                return found
            if not line:
                return None
    return None


def require_direct(probe: Probe) -> None:
    """See that the store can be reached without a proxy.

    Raises:
        NotApplicable: it cannot.
    """
    if probe.behind_proxy:
        raise NotApplicable("the store is reached through a proxy")
