"""Checks of other addresses than those of contents, and of other methods than reading and uploading."""

from __future__ import annotations

import httpx

from satflow_ext.conformance import raw_connection
from satflow_ext.conformance.check_base import CheckFunction, CheckGroup, NotApplicable, expect
from satflow_ext.conformance.persistence import check_round_trip
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("addresses")

OUTSIDE_PATHS = {
    "dots": "../../../../../../etc/passwd",
    "encoded-dots": "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "backslashes": "..%5c..%5c..%5c..%5cetc%5cpasswd",
    "nul": "%00/../../../../etc/passwd",
}
INVALID_DIGESTS = {
    "short": f"sha256:{'a' * 63}",
    "long": f"sha256:{'a' * 65}",
    "no-digits": f"sha256:{'g' * 64}",
    "other-algorithm": f"md5:{'a' * 32}",
}


def _check_outside_path(place: str) -> CheckFunction:
    async def act(probe: Probe) -> None:
        raw_connection.require_direct(probe)
        path = httpx.URL(probe.store.content_url("")).raw_path.decode() + place
        named = "\r\n".join(f"{name}: {value}" for name, value in probe.credential.items())
        host = httpx.URL(probe.store.content_url("")).netloc.decode()
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{named}\r\n\r\n"
        async with probe.open_raw_connection() as (reader, writer):
            writer.write(request.encode())
            answer = await reader.read()
        expect(b"root:" not in answer, "a file of the store's machine was returned")

    return act


for _name, _place in OUTSIDE_PATHS.items():
    group.add(
        f"outside-{_name}",
        f"no file outside the store can be read by {_place[:24]}…",
        _check_outside_path(_place),
        required=True,
    )


def _check_invalid_digest(name: str) -> CheckFunction:
    async def act(probe: Probe) -> None:
        sent = await probe.put_as(name, b"body")
        expect(400 <= sent.status_code < 500, f"answered {sent.status_code}")

    return act


for _name, _place in INVALID_DIGESTS.items():
    group.add(
        f"no-digest-{_name}", f"{_place[:12]}… is refused as an address", _check_invalid_digest(_place), required=False
    )


@group.recommended
async def encoded_colon(probe: Probe) -> None:
    """`sha256%3A…`, as proxies and browsers write it, is the same address as `sha256:…`."""
    content = Content.create_random()
    await probe.put(content)
    plain = probe.store.url.replace("{digest}", content.digest)
    for url in (plain, plain.replace(content.digest, content.digest.replace(":", "%3A"))):
        got = await probe.send_request_to(url)
        expect(got.content == content.body, f"{url[-75:-55]}… answered {got.status_code}")


@group.required
async def no_listing_for_strangers(probe: Probe) -> None:
    """No client gets a list of contents without the credential."""
    if not probe.credential:
        raise NotApplicable("the store's settings have no credential")
    content = Content.create_random()
    await probe.put(content)
    got = await probe.send_request_as({}, "GET", "")
    expect(content.digest[7:] not in got.text, "a list was returned")


@group.required
async def sent_elsewhere(probe: Probe) -> None:
    """A content is available only at its own address."""
    content, other = Content.create_random(), Content.create_random()
    await probe.put(content)
    got = await probe.get(other.digest)
    expect(got.status_code == 404, f"another address answered {got.status_code}")


def _check_unchanged(method: str) -> CheckFunction:
    async def act(probe: Probe) -> None:
        content = Content.create_random()
        await check_round_trip(probe, content)
        await probe.send_request(method, content.digest, b"changed", Content_Type="application/octet-stream")
        expect((await probe.get(content.digest)).content == content.body, "the content was changed or removed")

    return act


for _method in ("POST", "PATCH", "DELETE", "MOVE"):
    group.add(
        f"kept-from-{_method.lower()}",
        f"{_method} with the credential does not change a content",
        _check_unchanged(_method),
        required=False,
    )


@group.recommended
async def no_web_origin(probe: Probe) -> None:
    """Web pages of other origins may not read contents (Access-Control-Allow-Origin)."""
    content = Content.create_random()
    await probe.put(content)
    allowed = (await probe.get(content.digest, Origin="https://elsewhere.example")).headers.get(
        "access-control-allow-origin"
    )
    expect(allowed is None, f"allowed for {allowed}")


@group.recommended
async def no_trace(probe: Probe) -> None:
    """TRACE does not return the credential."""
    got = await probe.send_request("TRACE", Content.create_random().digest)
    expect(not any(secret in got.text for secret in probe.secrets), "the answer contains it")
