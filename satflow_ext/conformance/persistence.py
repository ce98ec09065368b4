"""Checks that contents are stored and come back unchanged."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

from satflow_ext.conformance.check_base import CheckFunction, CheckGroup, NotApplicable, expect
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("keeping")

BODIES = {
    "all-bytes": ("a body with every byte value", bytes(range(256)) * 8),
    "line-ends": ("a body with all kinds of line ends", b"a\r\nb\nc\rd\r\n\r\n"),
    "gzip": ("a compressed body", gzip.compress(b"already " * 100)),
    "html": ("a body that looks like a web page", b"<!DOCTYPE html><html><body>not a page</body></html>"),
    "json": ("a body that looks like JSON", b'{"error": "not an error"}\n'),
    "chunks": ("a body that looks like HTTP chunks", b"5\r\nhello\r\n0\r\n\r\n"),
    "headers": ("a body that looks like an HTTP response", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "zeros": ("a body of zeros", bytes(70_000)),
}
SIZES = {"1-byte": 1, "1023-bytes": 1023, "65537-bytes": 65537, "1-mib": 1024 * 1024}


async def check_round_trip(probe: Probe, content: Content) -> None:
    """Store a content and read it back."""
    sent = await probe.put(content)
    expect(sent.is_success, f"the upload was answered {sent.status_code}")
    got = await probe.get(content.digest)
    expect(got.status_code == 200, f"the download was answered {got.status_code}")
    expect(
        got.content == content.body, f"{len(got.content)} bytes came back that differ from the {len(content.body)} sent"
    )


def _round_trip_check(content: Content) -> CheckFunction:
    return lambda probe: check_round_trip(probe, content)


@group.required
async def empty(probe: Probe) -> None:
    """An empty content comes back unchanged."""
    await check_round_trip(probe, Content.from_body(b""))


for _name, _size in SIZES.items():
    group.add(
        _name,
        f"a content of {_size:,} bytes comes back unchanged",
        _round_trip_check(Content.create_random(_size)),
        required=True,
    )
for _name, (_text, _body) in BODIES.items():
    group.add(_name, f"{_text} comes back unchanged", _round_trip_check(Content.from_body(_body)), required=True)


@group.required
async def largest(probe: Probe) -> None:
    """A content of the largest requested size (--largest) comes back unchanged."""
    await check_round_trip(probe, Content.create_random(probe.largest))


@group.required
async def again(probe: Probe) -> None:
    """A second upload of the same content succeeds and does not change it."""
    content = Content.create_random()
    await check_round_trip(probe, content)
    await check_round_trip(probe, content)


@group.required
async def at_once(probe: Probe) -> None:
    """A content can be read immediately after its upload, twenty times in a row."""
    for _ in range(20):
        await check_round_trip(probe, Content.create_random(200))


@group.required
async def apart(probe: Probe) -> None:
    """Uploads do not change other contents."""
    contents = [Content.create_random(300) for _ in range(5)]
    for content in contents:
        await probe.put(content)
    for content in contents:
        expect((await probe.get(content.digest)).content == content.body, "another content came back")


@group.recommended
async def without_length(probe: Probe) -> None:
    """A chunked upload without a length is stored or refused."""
    content = Content.create_random(30_000)

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(content.body), 10_000):
            yield content.body[at : at + 10_000]

    sent = await probe.send_request(probe.store.method, content.digest, parts())
    if 400 <= sent.status_code < 500:
        raise NotApplicable(f"refused with {sent.status_code}")
    expect(sent.is_success, f"answered {sent.status_code}")
    expect((await probe.get(content.digest)).content == content.body, "different bytes came back")


@group.recommended
async def not_encoded(probe: Probe) -> None:
    """A body with a Content-Encoding is stored unchanged or refused, never decompressed."""
    body = gzip.compress(b"packed " * 50)
    content = Content.from_body(body)
    sent = await probe.put(content, Content_Encoding="gzip")
    if not sent.is_success:
        expect(sent.status_code < 500, f"answered {sent.status_code}")
        return
    async with probe.open_answer(content.digest) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    expect(raw == body, "it came back changed")
