"""The whole way from a leak to a failed test: planted in each form and place, sent to a real Prefect server, and found there."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import zlib

import httpx
import pytest
from websockets import Subprotocol
from websockets.asyncio.client import connect

from satflow_ext.redaction import published
from satflow_ext.redaction.facts import FACTS
from tests.hybrid.canaries import Canaries, stem
from tests.hybrid.encodings import ENCODINGS
from tests.hybrid.hiding import hidden
from tests.hybrid.messages import messages
from tests.hybrid.recording import Connection, Recording, recorded
from tests.hybrid.sightings import At, Report, report

STEM = stem()
CANARIES = Canaries(STEM, "m")
LEAK = CANARIES["constant"]
"""A constant of somebody's code, which must never arrive."""

ARTIFACTS = "POST /artifacts/"


def _sent(api, *requests) -> Report:
    """What a recording of some requests holds, each made by a function of an open HTTP client."""
    user, _, password = api.auth_string.partition(":")
    with recorded(api.url) as recording:
        with httpx.Client(base_url=recording.url, auth=(user, password), trust_env=False, timeout=60) as client:
            for request in requests:
                request(client)
        return _read(recording)


def _read(recording: Recording) -> Report:
    found = report(recording, STEM, CANARIES)
    assert not found.unread
    return found


def _artifact(data: str):
    def send(client: httpx.Client) -> None:
        client.post("/artifacts/", json={"data": data}).raise_for_status()

    return send


def test_found_in_a_request_that_was_cut():
    """Such as that of a process that was killed; the reader goes on with the next connection."""
    head = b"POST /api/artifacts/ HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n"
    cut = Connection(bytearray(head + b'{"data": "' + LEAK.encode()))
    assert [LEAK.encode() in message.body for message in messages(Recording("", [cut, cut]))] == [True, True]


@pytest.mark.parametrize("form", ENCODINGS)
def test_found_in_each_form(other_prefect, form):
    texts = [each.decode("latin-1") for each in hidden(LEAK)[form]]
    for text in texts:
        found = _sent(other_prefect, _artifact(text))
        assert {(kind, at) for kind, _, at in found.sightings} == {("constant", At(ARTIFACTS, "data"))}, text


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "zlib"])
def test_found_when_compressed(other_prefect, pack):
    packed = base64.b64encode(pack(json.dumps({"cells": [LEAK]}).encode())).decode()
    found = _sent(other_prefect, _artifact(packed))
    assert {(kind, at) for kind, _, at in found.sightings} == {("constant", At(ARTIFACTS, "data"))}


def test_found_in_every_place_of_a_request(other_prefect):
    zipped = gzip.compress(json.dumps({"data": LEAK}).encode())
    found = _sent(
        other_prefect,
        lambda client: client.get(f"/deployments/name/{LEAK}/x"),
        lambda client: client.get("/admin/version", params={"x": LEAK}),
        lambda client: client.get("/admin/version", headers={"X-Note": LEAK}),
        lambda client: client.post("/artifacts/", json={"data": {LEAK: 1}}),
        lambda client: client.post("/artifacts/", content=zipped, headers={"Content-Encoding": "gzip"}),
        lambda client: client.post("/artifacts/", content=LEAK.encode() + b" is no JSON"),
        lambda client: client.post("/artifacts/", content=iter([b'{"data": "', LEAK.encode(), b'"}'])),
    )
    places = {at for kind, _, at in found.sightings if kind == "constant"}
    assert places == {
        At(f"GET /deployments/name/{LEAK}/x", "(path)"),
        At("GET /admin/version", "(query)"),
        At("any", "header:x-note"),
        At(ARTIFACTS, f"data.{LEAK}"),
        At(ARTIFACTS, "data"),
        At(ARTIFACTS, "(body)"),
    }


@pytest.mark.parametrize("compression", ["deflate", None])
def test_found_in_messages_of_websockets(other_prefect, compression):
    """In the second message as well, which is compressed with what the first one held."""

    async def send(url: str) -> None:
        async with connect(
            f"{url.replace('http', 'ws', 1)}/events/in", compression=compression, subprotocols=[Subprotocol("prefect")]
        ) as socket:
            await socket.send(json.dumps({"type": "auth", "token": "x" * 100}))
            await socket.send(json.dumps({"type": "x" * 100, "payload": {"code": LEAK}}))
            await socket.wait_closed()

    with recorded(other_prefect.url) as recording:
        asyncio.run(send(recording.url))
        found = _read(recording)
    assert {(kind, at) for kind, _, at in found.sightings} == {("constant", At("WS /events/in", "payload.code"))}
    assert len(list(messages(recording))) >= 3


def test_every_fact_stands_somewhere():
    """So that nothing is on the list of facts for a field that is gone."""
    everything = {
        fact for call in published.CALLS for facts in call.facts_by_field.values() for fact in facts.split(", ")
    }
    assert everything == set(FACTS)
