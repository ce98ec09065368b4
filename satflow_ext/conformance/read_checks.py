"""Checks of the answers to GET and HEAD requests."""

from __future__ import annotations

import httpx

from satflow_ext.conformance.check_base import CheckFunction, CheckGroup, NotApplicable, expect
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("reading")


def _check_unknown(digest: str) -> CheckFunction:
    async def act(probe: Probe) -> None:
        got = await probe.get(digest)
        expect(got.status_code == 404, f"answered {got.status_code}")

    return act


group.add(
    "unknown", "a digest that was never uploaded is 404", _check_unknown(Content.create_random().digest), required=True
)
group.add("unknown-zeros", "the digest of all zeros is 404", _check_unknown(f"sha256:{'0' * 64}"), required=True)


@group.required
async def unknown_near(probe: Probe) -> None:
    """A digest that differs from a stored one in its last digit is 404."""
    content = Content.create_random()
    await probe.put(content)
    near = content.digest[:-1] + ("0" if content.digest[-1] != "0" else "1")
    got = await probe.get(near)
    expect(got.status_code == 404, f"answered {got.status_code}")


@group.recommended
async def head(probe: Probe) -> None:
    """HEAD returns the size and no body; without it SatFlow reads each content to verify it."""
    content = Content.create_random(1234)
    await probe.put(content)
    got = await probe.send_request("HEAD", content.digest)
    expect(got.status_code == 200, f"answered {got.status_code}")
    expect(got.headers.get("content-length") == "1234", f"Content-Length was {got.headers.get('content-length')}")
    expect(not got.content, "the answer had a body")


@group.recommended
async def head_unknown(probe: Probe) -> None:
    """HEAD of a digest that was never uploaded is 404."""
    got = await probe.send_request("HEAD", Content.create_random().digest)
    expect(got.status_code == 404, f"answered {got.status_code}")


@group.recommended
async def length(probe: Probe) -> None:
    """An answer has a Content-Length, so that a truncated one is detected immediately."""
    content = Content.create_random(1234)
    await probe.put(content)
    header = (await probe.get(content.digest)).headers.get("content-length")
    expect(header == "1234", f"Content-Length was {header}")


@group.required
async def as_it_is(probe: Probe) -> None:
    """A content is sent without Content-Encoding to a client that accepts none."""
    content = Content.from_body(b"compressible " * 1000)
    await probe.put(content)
    encoding = (await probe.get(content.digest)).headers.get("content-encoding", "identity")
    expect(encoding == "identity", f"it was sent as {encoding}")


@group.recommended
async def no_web_page(probe: Probe) -> None:
    """A content that looks like a web page is not served as one."""
    content = Content.from_body(b"<html><script>alert(1)</script></html>")
    await probe.put(content)
    kind = (await probe.get(content.digest)).headers.get("content-type", "")
    expect("html" not in kind, f"it was sent as {kind}")


@group.recommended
async def no_sniffing(probe: Probe) -> None:
    """Browsers may not guess the type of a content (X-Content-Type-Options: nosniff)."""
    content = Content.create_random()
    await probe.put(content)
    header = (await probe.get(content.digest)).headers.get("x-content-type-options")
    expect(header == "nosniff", "the header is missing")


@group.recommended
async def no_cookie(probe: Probe) -> None:
    """Answers set no cookies."""
    content = Content.create_random()
    answers = [await probe.put(content), await probe.get(content.digest)]
    expect(all("set-cookie" not in answer.headers for answer in answers), "an answer set a cookie")


@group.recommended
async def unknown_not_cached(probe: Probe) -> None:
    """The 404 for a missing content is not cached after its upload."""
    content = Content.create_random()
    await probe.get(content.digest)
    await probe.put(content)
    got = await probe.get(content.digest)
    expect(got.status_code == 200, f"answered {got.status_code} after the upload")


def _check_range(range_header: str, expected: slice, *, required: bool) -> CheckFunction:
    async def act(probe: Probe) -> None:
        content = Content.create_random(1000)
        await probe.put(content)
        got = await probe.get(content.digest, Range=range_header)
        if required:
            _expect_honest_range(got, content, expected)
        elif got.status_code == 200:
            raise NotApplicable("the store does not support ranges, which SatFlow does not use")
        else:
            expect(got.status_code == 206 and got.content == content.body[expected], f"answered {got.status_code}")

    return act


def _expect_honest_range(got: httpx.Response, content: Content, expected: slice) -> None:
    """Expect that an answer with status 200 has the whole content, and that a part has status 206."""
    if got.status_code == 200:
        expect(got.content == content.body, "a part was sent with status 200")
    else:
        expect(got.status_code in (206, 416), f"answered {got.status_code}")
        expect(got.status_code == 416 or got.content == content.body[expected], "a different part was sent")


group.add(
    "range-honest",
    "a range request gets the range with status 206, or the whole content",
    _check_range("bytes=0-9", slice(0, 10), required=True),
    required=True,
)
group.add(
    "range-first",
    "a range at the beginning can be read",
    _check_range("bytes=0-9", slice(0, 10), required=False),
    required=False,
)
group.add(
    "range-middle",
    "a range in the middle can be read",
    _check_range("bytes=500-599", slice(500, 600), required=False),
    required=False,
)
group.add(
    "range-last",
    "a range of the last bytes can be read",
    _check_range("bytes=-10", slice(-10, None), required=False),
    required=False,
)
group.add(
    "range-open",
    "a range up to the end can be read",
    _check_range("bytes=900-", slice(900, None), required=False),
    required=False,
)


@group.required
async def range_beyond(probe: Probe) -> None:
    """A range beyond the end gets 416 or the whole content."""
    content = Content.create_random(1000)
    await probe.put(content)
    got = await probe.get(content.digest, Range="bytes=5000-6000")
    expect(
        got.status_code == 416 or (got.status_code == 200 and got.content == content.body),
        f"answered {got.status_code}",
    )
