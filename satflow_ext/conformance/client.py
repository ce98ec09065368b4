"""SatFlow's own store client with this store: what registering and running really do."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from satflow_ext.conformance.check_base import Group, Wrong, expect
from satflow_ext.conformance.probe import Content, Probe
from satflow_ext.errors import ContentMissing, ContentRefused, SatflowError, StoreFailed
from satflow_ext.registration.store_client import StoreClient

group = Group("client")


@asynccontextmanager
async def _client(probe: Probe, content: Content) -> AsyncIterator[StoreClient]:
    """The store client; what it raises is what is wrong."""
    probe.touched[content.digest] = None
    try:
        async with StoreClient(probe.store) as client:
            yield client
    except SatflowError as error:
        raise Wrong(error.message) from error


@group.required
async def document(probe: Probe) -> None:
    """A manifest goes there and is read back."""
    content = Content.random(5000)
    async with _client(probe, content) as client:
        await client.put(content.digest, content.body)


@group.required
async def file(probe: Probe) -> None:
    """A flow content of 3 MB goes there, is verified, and comes back into a file."""
    content = Content.random(3_000_000)
    with tempfile.TemporaryDirectory(prefix="satflow-check-") as folder:
        sent, received = Path(folder, "sent"), Path(folder, "received")
        sent.write_bytes(content.body)
        async with _client(probe, content) as client:
            await client.put_file(content.digest, sent)
            await client.get_file(content.digest, received, limit=len(content.body))
        expect(received.read_bytes() == content.body, "something else came back")


@group.required
async def missing(probe: Probe) -> None:
    """A lost content is told as missing, not as a refused credential or a broken store."""
    content = Content.random()
    async with _client(probe, content) as client:
        try:
            await client.get(content.digest)
        except ContentMissing:
            return
    raise Wrong("something came")


@group.required
async def wrong_body(probe: Probe) -> None:
    """A wrong body is never taken for a content: the store refuses it, or it is found when it is read."""
    content = Content.random()
    await probe.put_as(content.digest, b"something else")
    async with StoreClient(probe.store) as client:
        try:
            await client.get(content.digest)
        except (ContentRefused, ContentMissing, StoreFailed):
            return
    raise Wrong("it was taken")


@group.required
async def over_limit(probe: Probe) -> None:
    """No more is read than a content may have."""
    content = Content.random(100_000)
    await probe.put(content)
    with tempfile.TemporaryDirectory(prefix="satflow-check-") as folder:
        async with _client(probe, content) as client:
            try:
                await client.get_file(content.digest, Path(folder, "received"), limit=1000)
            except ContentRefused:
                return
    raise Wrong("all of it was read")


@group.required
async def kept_or_not(probe: Probe) -> None:
    """Whether versions are still there can be told, or is said not to be known; never wrongly."""
    content = Content.random()
    async with _client(probe, content) as client:
        before = await client.has(content.digest, len(content.body))
        await client.put(content.digest, content.body)
        after = await client.has(content.digest, len(content.body))
        other = await client.has(content.digest, len(content.body) + 1)
    expect((before, after, other) in ((False, True, None), (None, None, None)), f"it said {before}, {after}, {other}")
