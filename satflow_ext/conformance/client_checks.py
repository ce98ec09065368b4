"""Checks with SatFlow's own store client, which make the same requests as registering and running a flow."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from satflow_ext.conformance.check_base import CheckFailed, CheckGroup, expect
from satflow_ext.conformance.probe import Content, Probe
from satflow_ext.errors import ContentMissing, ContentRefused, SatflowError, StoreFailed
from satflow_ext.versions.store_client import StoreClient

group = CheckGroup("client")


@asynccontextmanager
async def _open_client(probe: Probe, content: Content) -> AsyncIterator[StoreClient]:
    """Open the store client, and convert its errors into `Wrong`."""
    probe.sent_digests[content.digest] = None
    try:
        async with StoreClient(probe.store) as client:
            yield client
    except SatflowError as error:
        raise CheckFailed(error.message) from error


@group.required
async def document(probe: Probe) -> None:
    """A manifest can be stored and read back."""
    content = Content.create_random(5000)
    async with _open_client(probe, content) as client:
        await client.put(content.digest, content.body)


@group.required
async def file(probe: Probe) -> None:
    """A flow content of 3 MB can be stored, verified, and read back into a file."""
    content = Content.create_random(3_000_000)
    with tempfile.TemporaryDirectory(prefix="satflow-check-") as folder:
        sent, received = Path(folder, "sent"), Path(folder, "received")
        sent.write_bytes(content.body)
        async with _open_client(probe, content) as client:
            await client.put_file(content.digest, sent)
            await client.get_file(content.digest, received, limit=len(content.body))
        expect(received.read_bytes() == content.body, "different bytes came back")


@group.required
async def missing(probe: Probe) -> None:
    """A lost content is reported as missing, not as a refused credential or a store failure."""
    content = Content.create_random()
    async with _open_client(probe, content) as client:
        try:
            await client.get(content.digest)
        except ContentMissing:
            return
    raise CheckFailed("a content that was never stored was returned")


@group.required
async def wrong_body(probe: Probe) -> None:
    """A wrong body is never accepted as a content: the store refuses it, or reading detects it."""
    content = Content.create_random()
    await probe.put_as(content.digest, b"something else")
    async with StoreClient(probe.store) as client:
        try:
            await client.get(content.digest)
        except (ContentRefused, ContentMissing, StoreFailed):
            return
    raise CheckFailed("the wrong body was accepted")


@group.required
async def over_limit(probe: Probe) -> None:
    """A client stops reading at the size limit of a content."""
    content = Content.create_random(100_000)
    await probe.put(content)
    with tempfile.TemporaryDirectory(prefix="satflow-check-") as folder:
        async with _open_client(probe, content) as client:
            try:
                await client.get_file(content.digest, Path(folder, "received"), limit=1000)
            except ContentRefused:
                return
    raise CheckFailed("the content was read beyond the limit")


@group.required
async def kept_or_not(probe: Probe) -> None:
    """A test for the existence of a content answers correctly, or reports that it cannot answer."""
    content = Content.create_random()
    async with _open_client(probe, content) as client:
        before = await client.has_content(content.digest, len(content.body))
        await client.put(content.digest, content.body)
        after = await client.has_content(content.digest, len(content.body))
        other = await client.has_content(content.digest, len(content.body) + 1)
    expect(
        (before, after, other) in ((False, True, None), (None, None, None)),
        f"the answers were {before}, {after}, {other}",
    )
