"""A recording reverse proxy before a Prefect API: every byte of every connection, both ways, as it came.

It forwards bytes and understands nothing, so that nothing is lost by understanding: HTTP and websockets are read from the
recording afterwards (`messages.py`). It runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNK = 64 * 1024


@dataclass
class Connection:
    """One TCP connection: what the client sent to Prefect, and what Prefect answered."""

    sent: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)


@dataclass
class Recording:
    """Where to send requests instead of the Prefect API, and all that went through so far."""

    url: str
    connections: list[Connection] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes, both ways."""
        return sum(len(each.sent) + len(each.answered) for each in self.connections)


@contextmanager
def recorded(url: str) -> Iterator[Recording]:
    """A proxy before the API at that URL while the block runs."""
    parts = urlsplit(url)
    recording = Recording("")
    started, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            conversations.add(task)  # asyncio itself would forget it once one side is closed
            try:
                with contextlib.suppress(asyncio.CancelledError):  # asyncio would log it
                    await _forward(reader, writer, (parts.hostname, parts.port), recording)
            finally:
                conversations.discard(task)

        conversations: set[asyncio.Task[None] | None] = set()
        server = await asyncio.start_server(forward, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        recording.url = parts._replace(netloc=f"127.0.0.1:{port}").geturl()
        started.set()
        await stop.wait()
        server.close()
        open_ones = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="recording-proxy")
    thread.start()
    started.wait()
    try:
        yield recording
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _forward(client_reader, client_writer, api, recording: Recording) -> None:
    connection = Connection()
    recording.connections.append(connection)
    try:
        api_reader, api_writer = await asyncio.open_connection(*api)
    except OSError:
        client_writer.close()
        return
    try:
        await asyncio.gather(
            _pipe(client_reader, api_writer, connection.sent), _pipe(api_reader, client_writer, connection.answered)
        )
    finally:
        client_writer.close()
        api_writer.close()


async def _pipe(reader, writer, record: bytearray) -> None:
    """Forward until the end, which is passed on; recorded first, so that nothing arrives that is not recorded."""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(CHUNK):
            record += chunk
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
