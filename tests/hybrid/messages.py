"""What a recording holds: requests with their bodies, answers, and the messages of websockets."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import h11
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.streams import StreamReader

from tests.hybrid.recording import Connection, Recording


@dataclass(frozen=True)
class Message:
    """One request to Prefect, or one message on a websocket to it.

    Args:
        method: of HTTP, or `WS`.
        target: path and query, as they were sent.
        headers: of the request; a websocket's stand with the request that opened it.
        body: decompressed.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def messages(recording: Recording) -> Iterator[Message]:
    """All that Prefect was sent. Every byte of the recording is in one of them, or in the framing."""
    for connection in recording.connections:
        yield from of_connection(connection)


def of_connection(connection: Connection) -> Iterator[Message]:
    """What was sent on one connection.

    Raises:
        h11.RemoteProtocolError: it is no HTTP.
    """
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(bytes(connection.sent))
    while isinstance(request := reader.next_event(), h11.Request):
        body = b"".join(_data(reader))
        headers = tuple((name.decode(), value.decode("latin-1")) for name, value in request.headers)
        target = request.target.decode("latin-1")
        yield Message(request.method.decode(), target, headers, _decompressed(body, dict(headers)))
        if reader.their_state is h11.MIGHT_SWITCH_PROTOCOL:
            rest, _ = reader.trailing_data
            yield from _frames(rest, target, extension(connection))
            return
        if reader.their_state is h11.SEND_BODY:
            return  # the connection was cut within the body
        # Only what the client sent is read here; Prefect's part of the conversation is said in its place.
        reader.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
        reader.send(h11.EndOfMessage())
        if reader.our_state is h11.MUST_CLOSE:
            return
        reader.start_next_cycle()


def _data(reader: h11.Connection) -> Iterator[bytes]:
    while isinstance(event := reader.next_event(), h11.Data):
        yield bytes(event.data)
    # A connection that was cut within a request gives what there is.


def _decompressed(body: bytes, headers: dict[str, str]) -> bytes:
    kind = headers.get("content-encoding", "")
    if kind == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if kind == "deflate" else body


def extension(connection: Connection) -> PerMessageDeflate | None:
    """How the client compresses its messages, as Prefect agreed to."""
    head = bytes(connection.answered).split(b"\r\n\r\n")[0].decode("latin-1").lower()
    agreed = next((line for line in head.split("\r\n") if line.startswith("sec-websocket-extensions:")), "")
    if "permessage-deflate" not in agreed:
        return None
    return PerMessageDeflate("client_no_context_takeover" in agreed, True, 15, 15)


def _frames(data: bytes, target: str, deflate: PerMessageDeflate | None) -> Iterator[Message]:
    stream = StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    parts: list[bytes] = []
    while stream.buffer:
        frame = _finished(Frame.parse(stream.read_exact, mask=True, extensions=[deflate] if deflate else []))
        if frame is None:
            return
        if frame.opcode not in DATA_OPCODES:
            yield Message("WS", f"{target} {Opcode(frame.opcode).name}", (), bytes(frame.data))
            continue
        parts.append(bytes(frame.data))
        if frame.fin:
            yield Message("WS", target, (), b"".join(parts))
            parts = []


def _finished(parsing) -> Frame | None:
    """The frame that a parser gives of what is there, None where the connection was cut within it."""
    try:
        next(parsing)
    except StopIteration as done:
        return done.value
    except EOFError:
        return None
    return None
