"""Checks with many uploads and downloads at the same time."""

from __future__ import annotations

import asyncio

from satflow_ext.conformance.check_base import CheckGroup, expect
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("parallel")


async def _put_all(probe: Probe, contents: list[Content]) -> None:
    answers = await asyncio.gather(*(probe.put(content) for content in contents))
    refused = [answer.status_code for answer in answers if not answer.is_success]
    expect(not refused, f"{len(refused)} of {len(contents)} uploads were refused: {sorted(set(refused))}")


async def _expect_all_back(probe: Probe, contents: list[Content]) -> None:
    answers = await asyncio.gather(*(probe.get(content.digest) for content in contents))
    wrong = sum(answer.content != content.body for answer, content in zip(answers, contents, strict=True))
    expect(not wrong, f"{wrong} of {len(contents)} contents did not come back unchanged")


@group.required
async def fifty_puts(probe: Probe) -> None:
    """Fifty contents uploaded at the same time are all stored."""
    contents = [Content.create_random(20_000) for _ in range(50)]
    await _put_all(probe, contents)
    await _expect_all_back(probe, contents)


@group.required
async def same_content(probe: Probe) -> None:
    """Twenty-four simultaneous uploads of one content all succeed."""
    content = Content.create_random(100_000)
    await _put_all(probe, [content] * 24)
    await _expect_all_back(probe, [content])


@group.required
async def fifty_gets(probe: Probe) -> None:
    """Fifty simultaneous downloads of one content all succeed."""
    content = Content.create_random(50_000)
    await probe.put(content)
    await _expect_all_back(probe, [content] * 50)


@group.required
async def whole_or_nothing(probe: Probe) -> None:
    """A client that reads a content during its upload gets all of it or nothing."""
    content = Content.create_random(1_000_000)
    sending = asyncio.create_task(_put_all(probe, [content]))
    while not sending.done():
        got = await probe.get(content.digest)
        expect(
            got.status_code != 200 or got.content == content.body, f"{len(got.content):,} of 1,000,000 bytes arrived"
        )
    await sending


@group.required
async def whole_while_again(probe: Probe) -> None:
    """A client that reads a content while it is uploaded again gets all of it."""
    content = Content.create_random(200_000)
    await _put_all(probe, [content])
    sending = asyncio.create_task(_put_all(probe, [content] * 6))
    while not sending.done():
        expect(
            (await probe.get(content.digest)).content == content.body,
            "the content was temporarily missing or incomplete",
        )
    await sending


@group.required
async def puts_and_gets(probe: Probe) -> None:
    """Uploads and downloads of different contents do not affect each other."""
    old, new = [Content.create_random(30_000) for _ in range(10)], [Content.create_random(30_000) for _ in range(10)]
    await _put_all(probe, old)
    await asyncio.gather(_put_all(probe, new), _expect_all_back(probe, old))
    await _expect_all_back(probe, new)
