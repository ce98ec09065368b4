"""Checks with broken bodies: truncated, too long, or with a wrong length. A store must not keep any of them as a content."""

from __future__ import annotations

from satflow_ext.conformance import raw_connection
from satflow_ext.conformance.check_base import CheckFailed, CheckFunction, CheckGroup, expect
from satflow_ext.conformance.persistence import check_round_trip
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("broken")


async def expect_absent(probe: Probe, digest: str) -> None:
    """Expect that no content is stored under a digest."""
    got = await probe.get(digest)
    expect(got.status_code != 200, f"{len(got.content)} bytes are stored under its digest")


async def expect_whole_or_absent(probe: Probe, content: Content) -> None:
    """Expect that a content is stored completely or not at all."""
    got = await probe.get(content.digest)
    if got.status_code == 200:
        expect(got.content == content.body, f"{len(got.content)} of {len(content.body)} bytes are stored")


def _check_cut_upload(at: int, length: int) -> CheckFunction:
    async def act(probe: Probe) -> None:
        content = Content.create_random(length)
        head = probe.build_put_head(content.digest, f"Content-Length: {length}")
        status = await raw_connection.send_parts(probe, head + content.body[:at], break_off=True)
        expect(status is None or status >= 300, f"an incomplete body was answered {status}")
        await expect_absent(probe, content.digest)

    return act


for _name, _text, _at, _said in (
    ("cut-before-body", "an upload that breaks off before the body leaves no content", 0, 5000),
    ("cut-after-one-byte", "an upload that breaks off after one byte leaves no content", 1, 5000),
    ("cut-one-byte-short", "an upload that breaks off one byte before the end leaves no content", 4999, 5000),
    ("cut-large", "an upload that breaks off in a body of 300 kB leaves no content", 200_000, 300_000),
):
    group.add(_name, _text, _check_cut_upload(_at, _said), required=True)


@group.required
async def cut_before_answer(probe: Probe) -> None:
    """An upload whose sender dies before the answer leaves the whole content or none."""
    content = Content.create_random(5000)
    head = probe.build_put_head(content.digest, "Content-Length: 5000")
    await raw_connection.send_parts(probe, head + content.body, break_off=True)
    await expect_whole_or_absent(probe, content)


@group.required
async def cut_again(probe: Probe) -> None:
    """A second upload that breaks off does not damage the first one."""
    content = Content.create_random(5000)
    await check_round_trip(probe, content)
    await raw_connection.send_parts(
        probe, probe.build_put_head(content.digest, "Content-Length: 5000") + b"half", break_off=True
    )
    expect((await probe.get(content.digest)).content == content.body, "the existing content was removed or truncated")


@group.required
async def whole_after_cut(probe: Probe) -> None:
    """An upload that broke off can be repeated."""
    content = Content.create_random(5000)
    head = probe.build_put_head(content.digest, "Content-Length: 5000")
    await raw_connection.send_parts(probe, head + content.body[:100], break_off=True)
    await check_round_trip(probe, content)


@group.required
async def extra_bytes(probe: Probe) -> None:
    """Bytes beyond the Content-Length are not part of the content."""
    content = Content.create_random(500)
    head = probe.build_put_head(content.digest, "Content-Length: 500", "Connection: close")
    await raw_connection.send_parts(probe, head + content.body + b"and more")
    await expect_whole_or_absent(probe, content)


@group.required
async def cut_chunks(probe: Probe) -> None:
    """A chunked body without its last chunk leaves no content."""
    content = Content.create_random(500)
    head = probe.build_put_head(content.digest, "Transfer-Encoding: chunked")
    await raw_connection.send_parts(probe, head + b"1f4\r\n" + content.body + b"\r\n", break_off=True)
    await expect_absent(probe, content.digest)


def _check_refused(*lines: str) -> CheckFunction:
    async def act(probe: Probe) -> None:
        content = Content.create_random(8)
        head = probe.build_put_head(content.digest, *lines, "Connection: close")
        status = await raw_connection.send_parts(probe, head + content.body, break_off=True)
        await expect_whole_or_absent(probe, content)
        expect(status is None or status >= 400, f"answered {status}")

    return act


for _name, _text, _lines in (
    ("length-no-number", "a Content-Length that is not a number is refused", ("Content-Length: eight",)),
    ("length-negative", "a negative Content-Length is refused", ("Content-Length: -8",)),
    ("length-twice", "two different Content-Length headers are refused", ("Content-Length: 8", "Content-Length: 4")),
    (
        "length-and-chunks",
        "a Content-Length with a chunked body is refused",
        ("Content-Length: 8", "Transfer-Encoding: chunked"),
    ),
    (
        "unknown-encoding",
        "an unknown Transfer-Encoding is refused",
        ("Content-Length: 8", "Transfer-Encoding: nonsense"),
    ),
):
    group.add(_name, _text, _check_refused(*_lines), required=False)


@group.recommended
async def endless(probe: Probe) -> None:
    """A Content-Length of 99 TB is refused before the body is sent."""
    digest = Content.create_random(8).digest
    status = await raw_connection.send_parts(probe, probe.build_put_head(digest, "Content-Length: 99999999999999"))
    if status is None:
        raise CheckFailed("no answer: the store waits for the body")
    expect(status >= 400, f"answered {status}")
