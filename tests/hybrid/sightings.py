"""Where canaries stand in a recording, and which fields it has at all."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.hybrid.canaries import Canaries
from tests.hybrid.encodings import Finder
from tests.hybrid.messages import Message, messages
from tests.hybrid.recording import Recording

CONTROL = "WS control"
"""Pings, pongs and farewells."""

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class At:
    """A field of a call: `POST /deployments/` and `parameters.name`; of the path, query or headers `(path)` and so on."""

    call: str
    field: str


@dataclass
class Report:
    """What a recording holds."""

    fields: set[At]
    sightings: set[tuple[str, str, At]]
    answered: set[str]
    unread: set[str]
    """Canaries in the raw bytes that no message has: then messages were read wrongly."""


def report(recording: Recording, stem: str, canaries: Canaries) -> Report:
    """Read a whole recording."""
    finder = Finder(stem, canaries.values())
    find = functools.cache(finder.find)  # most of what is sent is sent again and again
    kinds = {text: kind for kind, text in canaries.items()}
    fields: set[At] = set()
    sightings: set[tuple[str, str, At]] = set()
    for message in messages(recording):
        told = list(parts(message))
        fields |= {place for place, _ in told}
        whole = b"\n".join(as_bytes(text) for _, text in told) + b"\n" + message.body
        if finder.somewhere(whole):
            found = {(kinds[text], form, place) for place, said in told for text, form in find(as_bytes(said))}
            lost = {kinds[text] for text, _ in find(whole)} - {kind for kind, _, _ in found}
            sightings |= found | {(kind, "", At(_call(message), "(nowhere)")) for kind in lost}
    raw = {kinds[text] for each in recording.connections for text, _ in finder.find(bytes(each.sent))}
    answered = {kinds[text] for each in recording.connections for text, _ in finder.find(bytes(each.answered))}
    return Report(fields, sightings, answered, raw - {kind for kind, _, _ in sightings})


def parts(message: Message) -> Iterator[tuple[At, str | bytes]]:
    """Each field of a message with its text. Keys of objects are texts as well: they may be names of the user's."""
    call = _call(message)
    path, _, query = message.target.partition("?")
    if call != CONTROL:
        yield At(call, "(path)"), path
    if query:
        yield At(call, "(query)"), query
    for name, value in message.headers:
        yield At("any", f"header:{name.lower()}"), value
    if message.body:
        yield from _body(call, message.body)


def _body(call: str, body: bytes) -> Iterator[tuple[At, str | bytes]]:
    try:
        value = json.loads(body)
    except ValueError:
        yield At(call, "(body)"), body
        return
    for field, text in leaves(value):
        yield At(call, field), text


def leaves(value: object, field: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf and every key of a JSON value, with where it stands: `parameters.name`, `[].message`."""
    if isinstance(value, dict):
        for key, each in value.items():
            inner = f"{field}.{key}".lstrip(".")
            yield inner, key
            yield from leaves(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, f"{field}[]")
    else:
        yield field, value if isinstance(value, str) else json.dumps(value)


def _call(message: Message) -> str:
    if message.method == "WS" and " " in message.target:  # a control frame
        return CONTROL
    path = message.target.partition("?")[0].removeprefix("/api")
    return f"{message.method} {ID.sub('{id}', path)}"


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
