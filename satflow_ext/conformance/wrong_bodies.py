"""Checks with complete bodies that do not match their digest. SatFlow detects them when it reads; a good store refuses them."""

from __future__ import annotations

from collections.abc import Callable

from satflow_ext.conformance.broken_bodies import expect_absent
from satflow_ext.conformance.check_base import CheckFunction, CheckGroup, expect
from satflow_ext.conformance.persistence import check_round_trip
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("digest")

WRONG_BODIES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "bit-flipped": ("a body with one bit flipped", lambda body: bytes([body[0] ^ 1]) + body[1:]),
    "byte-short": ("a body one byte short", lambda body: body[:-1]),
    "byte-long": ("a body one byte long", lambda body: body + b"x"),
    "empty-body": ("an empty body under the digest of a content", lambda _: b""),
    "other-body": ("the body of another content", lambda _: Content.create_random().body),
}


def _check_refused(change: Callable[[bytes], bytes]) -> CheckFunction:
    async def act(probe: Probe) -> None:
        content = Content.create_random()
        sent = await probe.put_as(content.digest, change(content.body))
        expect(not sent.is_success, f"it was accepted ({sent.status_code})")
        expect(sent.status_code < 500, f"answered {sent.status_code}")
        await expect_absent(probe, content.digest)

    return act


for _name, (_text, _change) in WRONG_BODIES.items():
    group.add(_name, f"{_text} is refused", _check_refused(_change), required=False)


@group.recommended
async def kept_from_wrong(probe: Probe) -> None:
    """A wrong body does not replace an existing content."""
    content = Content.create_random()
    await check_round_trip(probe, content)
    await probe.put_as(content.digest, b"something else")
    expect((await probe.get(content.digest)).content == content.body, "the content was replaced or removed")


@group.required
async def mended(probe: Probe) -> None:
    """The right body can be uploaded after a wrong one."""
    content = Content.create_random()
    await probe.put_as(content.digest, b"something else")
    await check_round_trip(probe, content)
