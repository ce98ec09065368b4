"""Checks with slow, broken and idle connections, which must not affect other clients."""

from __future__ import annotations

import asyncio
import contextlib

from satflow_ext.conformance import raw_connection
from satflow_ext.conformance.check_base import CheckGroup, expect
from satflow_ext.conformance.persistence import check_round_trip
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("connections")

PART_PAUSE = 0.1
CONNECTION_COUNT = 20


@group.required
async def slow_sender(probe: Probe) -> None:
    """A body that arrives in twenty pieces over two seconds is stored."""
    content = Content.create_random(20_000)
    head = probe.build_put_head(content.digest, "Content-Length: 20000", "Connection: close")
    pieces = [content.body[at : at + 1000] for at in range(0, 20_000, 1000)]
    status = await raw_connection.send_parts(probe, head, *pieces, pause=PART_PAUSE)
    expect(status is not None and 200 <= status < 300, f"answered {status}")
    expect((await probe.get(content.digest)).content == content.body, "different bytes came back")


@group.required
async def slow_headers(probe: Probe) -> None:
    """A request whose headers arrive in pieces is accepted."""
    content = Content.create_random(100)
    whole = probe.build_put_head(content.digest, "Content-Length: 100", "Connection: close") + content.body
    third = len(whole) // 3
    status = await raw_connection.send_parts(
        probe, whole[:third], whole[third : 2 * third], whole[2 * third :], pause=PART_PAUSE
    )
    expect(status is not None and 200 <= status < 300, f"answered {status}")


@group.required
async def slow_reader(probe: Probe) -> None:
    """A client that takes two seconds to read a megabyte gets all of it."""
    content = Content.create_random(1_000_000)
    await probe.put(content)
    got = b""
    async with probe.open_answer(content.digest) as answer:
        async for chunk in answer.aiter_raw(50_000):
            got += chunk
            await asyncio.sleep(PART_PAUSE)
    expect(got == content.body, f"{len(got):,} of 1,000,000 bytes arrived")


@group.required
async def cut_reader(probe: Probe) -> None:
    """A client that breaks off reading does not affect the next one."""
    content = Content.create_random(1_000_000)
    await probe.put(content)
    for _ in range(5):
        async with probe.open_answer(content.digest) as answer:
            await anext(answer.aiter_raw(1000))
    expect((await probe.get(content.digest)).content == content.body, "different bytes came back")


@group.required
async def half_open(probe: Probe) -> None:
    """Twenty uploads that stall in their bodies do not block other clients."""
    raw_connection.require_direct(probe)
    async with contextlib.AsyncExitStack() as still:
        for _ in range(CONNECTION_COUNT):
            _, writer = await still.enter_async_context(probe.open_raw_connection())
            writer.write(probe.build_put_head(Content.create_random().digest, "Content-Length: 1000") + b"half")
        await check_round_trip(probe, Content.create_random())


@group.required
async def silent(probe: Probe) -> None:
    """Twenty connections that send nothing do not block other clients."""
    raw_connection.require_direct(probe)
    async with contextlib.AsyncExitStack() as still:
        for _ in range(CONNECTION_COUNT):
            await still.enter_async_context(probe.open_raw_connection())
        await check_round_trip(probe, Content.create_random())


@group.required
async def idle(probe: Probe) -> None:
    """A connection that was idle for two seconds can be reused, or is closed cleanly."""
    await check_round_trip(probe, Content.create_random())
    await asyncio.sleep(2)
    await check_round_trip(probe, Content.create_random())


@group.recommended
async def two_on_one(probe: Probe) -> None:
    """Two contents can be sent on one connection."""
    raw_connection.require_direct(probe)
    first, second = Content.create_random(100), Content.create_random(100)
    async with probe.open_raw_connection() as (reader, writer):
        for content in (first, second):
            writer.write(probe.build_put_head(content.digest, "Content-Length: 100") + content.body)
            status = await raw_connection.read_status(reader)
            expect(status is not None and 200 <= status < 300, f"answered {status}")
            await _read_rest_of_answer(reader)
    for content in (first, second):
        expect((await probe.get(content.digest)).content == content.body, "different bytes came back for one of them")


async def _read_rest_of_answer(reader: asyncio.StreamReader) -> None:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), raw_connection.STATUS_TIMEOUT)
    lines = [line.partition(b":") for line in head.lower().splitlines()]
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    await asyncio.wait_for(reader.readexactly(length), raw_connection.STATUS_TIMEOUT)


@group.recommended
async def expecting(probe: Probe) -> None:
    """A client that sends `Expect: 100-continue` is allowed to continue."""
    content = Content.create_random(1000)
    head = probe.build_put_head(content.digest, "Content-Length: 1000", "Expect: 100-continue", "Connection: close")
    status = await raw_connection.send_parts(probe, head, content.body, pause=PART_PAUSE)
    expect(status is not None and 200 <= status < 300, f"answered {status}")


@group.recommended
async def long_headers(probe: Probe) -> None:
    """A header of 4 kB, the size of some login services' tokens, is accepted."""
    content = Content.create_random()
    sent = await probe.put(content, X_Long="x" * 4096)
    expect(sent.is_success, f"answered {sent.status_code}")
