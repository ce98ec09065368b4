"""Checks that no client has access without the credential, and that refusals are error codes, not login pages or redirects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx

from satflow_ext.conformance.check_base import CheckFunction, CheckGroup, NotApplicable, expect
from satflow_ext.conformance.probe import Content, Probe

group = CheckGroup("access")

HeaderForgery = Callable[[Mapping[str, str]], dict[str, str]]


def _change_values(change: Callable[[str], str]) -> HeaderForgery:
    return lambda headers: {name: change(value) for name, value in headers.items()}


FORGED_CREDENTIALS: dict[str, tuple[str, HeaderForgery]] = {
    "none": ("without a credential", lambda _: {}),
    "wrong": ("with another credential", _change_values(lambda _: "Bearer wrong")),
    "empty": ("with an empty credential", _change_values(lambda _: "")),
    "last-character": (
        "with a credential that differs in its last character",
        _change_values(lambda value: f"{value[:-1]}~"),
    ),
    "shortened": ("with the first half of the credential", _change_values(lambda value: value[: len(value) // 2])),
    "extended": ("with more than the credential", _change_values(lambda value: f"{value}x")),
    "cookie": ("with the credential as a cookie", lambda headers: {"Cookie": f"token={next(iter(headers.values()))}"}),
}


def require_credential(probe: Probe) -> dict[str, str]:
    """Return the headers of the credential.

    Raises:
        NotApplicable: the settings of the store have no credential.
    """
    headers = probe.credential
    if not headers:
        raise NotApplicable("the store's settings have no credential")
    return headers


def _check_reading(forge: HeaderForgery, method: str) -> CheckFunction:
    async def act(probe: Probe) -> None:
        headers, content = require_credential(probe), Content.create_random()
        await probe.put(content)
        got = await probe.send_request_as(forge(headers), method, content.digest)
        expect(got.status_code >= 400, f"answered {got.status_code}")
        expect(content.body not in got.content, "the content was returned")

    return act


def _check_upload(forge: HeaderForgery) -> CheckFunction:
    async def act(probe: Probe) -> None:
        headers, content = require_credential(probe), Content.create_random()
        sent = await probe.send_request_as(forge(headers), probe.store.method, content.digest, content.body)
        expect(sent.status_code >= 400, f"answered {sent.status_code}")
        expect((await probe.get(content.digest)).status_code != 200, "the content was stored")

    return act


for _name, (_text, _forge) in FORGED_CREDENTIALS.items():
    group.add(f"read-{_name}", f"no content can be read {_text}", _check_reading(_forge, "GET"), required=True)
    group.add(f"send-{_name}", f"no content is stored {_text}", _check_upload(_forge), required=True)
group.add(
    "size-none",
    "no size is returned without a credential",
    _check_reading(FORGED_CREDENTIALS["none"][1], "HEAD"),
    required=True,
)


@group.recommended
async def says_so(probe: Probe) -> None:
    """A refusal is 401 or 403, which SatFlow reports as a refused credential."""
    for forge in (FORGED_CREDENTIALS["none"][1], FORGED_CREDENTIALS["wrong"][1]):
        got = await probe.send_request_as(forge(require_credential(probe)), "GET", Content.create_random().digest)
        expect(got.status_code in (401, 403), f"answered {got.status_code}")


@group.recommended
async def large_refused(probe: Probe) -> None:
    """A sender of 3 MB with a wrong credential can read the refusal."""
    content, headers = Content.create_random(3_000_000), dict.fromkeys(require_credential(probe), "wrong")
    try:
        sent = await probe.send_request_as(headers, probe.store.method, content.digest, content.body)
    except httpx.TransportError as error:
        expect(False, f"the connection broke instead: {type(error).__name__}")
    else:
        expect(sent.status_code >= 400, f"answered {sent.status_code}")


@group.required
async def never_told(probe: Probe) -> None:
    """No answer contains the credential."""
    require_credential(probe)
    content = Content.create_random()
    answers = [
        await probe.put(content),
        await probe.get(content.digest),
        await probe.get(Content.create_random().digest),
    ]
    answers.append(await probe.send_request_as({}, "GET", content.digest))
    answer_texts = [f"{answer.headers} {answer.text}" for answer in answers]
    expect(not any(secret in text for secret in probe.secrets for text in answer_texts), "an answer contains it")


@group.required
async def not_removed(probe: Probe) -> None:
    """No content is removed without the credential."""
    require_credential(probe)
    content = Content.create_random()
    await probe.put(content)
    await probe.send_request_as({}, "DELETE", content.digest)
    expect((await probe.get(content.digest)).content == content.body, "the content was removed")


def _check_plain_answer(method: str) -> CheckFunction:
    async def act(probe: Probe) -> None:
        content = Content.create_random()
        sent = await probe.put(content)
        got = sent if method == "PUT" else await probe.send_request(method, content.digest)
        expect(not got.is_redirect, f"answered {got.status_code}, which SatFlow does not follow")
        kind = got.headers.get("content-type", "")
        expect(not (got.is_success and got.content and "html" in kind), "it answered with a web page")

    return act


group.add(
    "no-redirect-send",
    "an upload is answered without a redirect or web page",
    _check_plain_answer("PUT"),
    required=True,
)
group.add(
    "no-redirect-read",
    "a download is answered without a redirect or web page",
    _check_plain_answer("GET"),
    required=True,
)
group.add(
    "no-redirect-size", "HEAD is answered without a redirect or web page", _check_plain_answer("HEAD"), required=True
)


@group.required
async def no_login_page(probe: Probe) -> None:
    """Unknown digests and requests without a credential get no web page with status 200 and no redirect to one."""
    answers = [
        await probe.get(Content.create_random().digest),
        await probe.send_request_as({}, "GET", Content.create_random().digest),
    ]
    for got in answers:
        expect(got.status_code >= 400, f"answered {got.status_code} {got.headers.get('location', '')}".strip())
