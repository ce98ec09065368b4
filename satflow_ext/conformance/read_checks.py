"""What answers to reading say, and what they never do."""

from __future__ import annotations

import httpx

from satflow_ext.conformance.check_base import Act, Group, NotApplicable, expect
from satflow_ext.conformance.probe import Content, Probe

group = Group("reading")


def _unknown(digest: str) -> Act:
    async def act(probe: Probe) -> None:
        got = await probe.get(digest)
        expect(got.status_code == 404, f"answered {got.status_code}")

    return act


group.add("unknown", "a digest that nobody sent is 404", _unknown(Content.random().digest), required=True)
group.add("unknown-zeros", "the digest of all zeros is 404", _unknown(f"sha256:{'0' * 64}"), required=True)


@group.required
async def unknown_near(probe: Probe) -> None:
    """A digest that differs in its last digit from one that is there is 404."""
    content = Content.random()
    await probe.put(content)
    near = content.digest[:-1] + ("0" if content.digest[-1] != "0" else "1")
    got = await probe.get(near)
    expect(got.status_code == 404, f"answered {got.status_code}")


@group.recommended
async def head(probe: Probe) -> None:
    """HEAD says the size and sends nothing; without it each content is read to verify it."""
    content = Content.random(1234)
    await probe.put(content)
    got = await probe.ask("HEAD", content.digest)
    expect(got.status_code == 200, f"answered {got.status_code}")
    expect(got.headers.get("content-length") == "1234", f"it said {got.headers.get('content-length')} bytes")
    expect(not got.content, "it sent a body")


@group.recommended
async def head_unknown(probe: Probe) -> None:
    """HEAD of a digest that nobody sent is 404."""
    got = await probe.ask("HEAD", Content.random().digest)
    expect(got.status_code == 404, f"answered {got.status_code}")


@group.recommended
async def length(probe: Probe) -> None:
    """The answer says its length, so that a cut one is seen at once."""
    content = Content.random(1234)
    await probe.put(content)
    said = (await probe.get(content.digest)).headers.get("content-length")
    expect(said == "1234", f"it said {said}")


@group.required
async def as_it_is(probe: Probe) -> None:
    """A content comes without Content-Encoding to who asked for none."""
    content = Content.of(b"compressible " * 1000)
    await probe.put(content)
    said = (await probe.get(content.digest)).headers.get("content-encoding", "identity")
    expect(said == "identity", f"it came as {said}")


@group.recommended
async def no_web_page(probe: Probe) -> None:
    """A content that looks like a web page is not served as one."""
    content = Content.of(b"<html><script>alert(1)</script></html>")
    await probe.put(content)
    kind = (await probe.get(content.digest)).headers.get("content-type", "")
    expect("html" not in kind, f"it came as {kind}")


@group.recommended
async def no_sniffing(probe: Probe) -> None:
    """Browsers are told not to guess what a content is (X-Content-Type-Options: nosniff)."""
    content = Content.random()
    await probe.put(content)
    said = (await probe.get(content.digest)).headers.get("x-content-type-options")
    expect(said == "nosniff", "the header is missing")


@group.recommended
async def no_cookie(probe: Probe) -> None:
    """No cookie is set."""
    content = Content.random()
    answers = [await probe.put(content), await probe.get(content.digest)]
    expect(all("set-cookie" not in answer.headers for answer in answers), "one is set")


@group.recommended
async def unknown_not_cached(probe: Probe) -> None:
    """That a content is missing is not remembered once it has come."""
    content = Content.random()
    await probe.get(content.digest)
    await probe.put(content)
    got = await probe.get(content.digest)
    expect(got.status_code == 200, f"answered {got.status_code} after it was sent")


def _ranged(asked: str, wanted: slice, *, required: bool) -> Act:
    async def act(probe: Probe) -> None:
        content = Content.random(1000)
        await probe.put(content)
        got = await probe.get(content.digest, Range=asked)
        if required:
            _honest(got, content, wanted)
        elif got.status_code == 200:
            raise NotApplicable("it knows no ranges, and SatFlow asks for none")
        else:
            expect(got.status_code == 206 and got.content == content.body[wanted], f"answered {got.status_code}")

    return act


def _honest(got: httpx.Response, content: Content, wanted: slice) -> None:
    """A part is called a part: 200 always means all of it."""
    if got.status_code == 200:
        expect(got.content == content.body, "a part came as if it were all")
    else:
        expect(got.status_code in (206, 416), f"answered {got.status_code}")
        expect(got.status_code == 416 or got.content == content.body[wanted], "another part came")


group.add(
    "range-honest",
    "who asks for a part gets it as a part, or all",
    _ranged("bytes=0-9", slice(0, 10), required=True),
    required=True,
)
group.add(
    "range-first", "the first ten bytes can be read", _ranged("bytes=0-9", slice(0, 10), required=False), required=False
)
group.add(
    "range-middle",
    "a part in the middle can be read",
    _ranged("bytes=500-599", slice(500, 600), required=False),
    required=False,
)
group.add(
    "range-last",
    "the last ten bytes can be read",
    _ranged("bytes=-10", slice(-10, None), required=False),
    required=False,
)
group.add(
    "range-open",
    "a part up to the end can be read",
    _ranged("bytes=900-", slice(900, None), required=False),
    required=False,
)


@group.required
async def range_beyond(probe: Probe) -> None:
    """A part beyond the end is 416, or all comes."""
    content = Content.random(1000)
    await probe.put(content)
    got = await probe.get(content.digest, Range="bytes=5000-6000")
    expect(
        got.status_code == 416 or (got.status_code == 200 and got.content == content.body),
        f"answered {got.status_code}",
    )
