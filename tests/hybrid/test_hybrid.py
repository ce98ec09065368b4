"""The hybrid promise, measured: every byte that reaches a real Prefect server, searched for what must not.

A few cycles of registering, running and failing for each level of `tell_prefect`. `HYBRID_CYCLES=200` does that many, and
`HYBRID_RECORDINGS` names a folder to keep the recordings in.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from satflow_ext.redaction import facts, published
from satflow_ext.settings import load_settings
from tests.hybrid import asking
from tests.hybrid.canaries import ANSWERED, FACTS, KINDS, Canaries, stem
from tests.hybrid.encodings import Finder
from tests.hybrid.messages import messages
from tests.hybrid.place import CYCLES, Place, place
from tests.hybrid.sightings import At, Report, as_bytes, parts, report

EACH = {
    "messages": tuple(CYCLES),
    "types": ("threads",),
    "everything": ("threads", "no secret", "no store", "no cluster"),
}
"""Level → cycles that show all that it tells."""

MANY = {"messages": 0.7, "types": 0.15, "everything": 0.15}
"""Level → its part of a large number of cycles, most of which are of the cheap kinds."""

AHEAD = 8
"""Runs that were started and not waited for: a Prefect server with a long queue answers nobody."""

CHEAP = ("threads", "no secret", "threads", "no store", "threads", "exit")


@dataclass(frozen=True)
class Measured:
    """What one level told."""

    report: Report
    states: tuple[str, ...]
    size: int
    auth_fields: frozenset[At]


@pytest.fixture(scope="module")
def measured(house, other_prefect, tmp_path_factory) -> dict[str, Measured]:
    """Level → what was told, of all levels at once: each has its kernel, Prefect worker and store."""
    first, begun = stem(), time.monotonic()
    canaries = {level: Canaries(first, level[0]) for level in EACH}
    with temporary_settings({PREFECT_API_URL: other_prefect.url, PREFECT_API_AUTH_STRING: other_prefect.auth_string}):
        for each in canaries.values():
            Secret(value=each["secret_of_block"]).save(each["secret_of_block_name"])

    def measure(level: str) -> Measured:
        folder, told = tmp_path_factory.mktemp(level), None if level == "messages" else level
        with place(folder, house, other_prefect, canaries[level], told) as made:
            states = _cycles(made, level)
        if kept := os.environ.get("HYBRID_RECORDINGS"):
            (Path(kept) / f"{level}.pickle").write_bytes(pickle.dumps((first, made.recording)))
        return Measured(
            report(made.recording, first, canaries[level]),
            states,
            made.recording.size,
            _fields_with(other_prefect.auth_string, made),
        )

    tmp_path_factory.getbasetemp()  # pytest makes it on first use, and not for three threads at once
    with ThreadPoolExecutor(len(EACH)) as pool:
        done = dict(zip(EACH, pool.map(measure, EACH), strict=True))
    _print_figures(done, time.monotonic() - begun)
    return done


def _more(level: str) -> list[str]:
    wanted = round(int(os.environ.get("HYBRID_CYCLES", "0")) * MANY[level])
    return [CHEAP[number % len(CHEAP)] for number in range(wanted - len(EACH[level]))]


def _cycles(made: Place, level: str) -> tuple[str, ...]:
    """Register, run and fail, some cycles ahead of the Prefect worker; the states of all runs at the end."""
    started: list[tuple[str, str, str]] = []
    states: list[str] = []
    for kind in (*EACH[level], *_more(level)):
        if len(started) - len(states) == AHEAD:
            states.append(made.ended(*started[len(states)]))
        started.append(_start(made, kind))
    states += [made.ended(*each) for each in started[len(states) :]]
    _, deployment_id, run_id = started[0]
    asyncio.run(asking.ask(made.proxied, deployment_id, run_id))
    asyncio.run(asking.listen(made.proxied, run_id, made.recording))
    if level == "messages":
        made.switch_off(deployment_id)
        stopped = asyncio.run(asking.press(made.proxied, deployment_id))
        assert made.state_after(stopped)["name"] == "Cancelled"
        asyncio.run(asking.press_many(made.proxied, deployment_id, load_settings()))
        asyncio.run(asking.delete(made.proxied, deployment_id))
    return tuple(states)


def _start(made: Place, kind: str) -> tuple[str, str, str]:
    """Register and start; kind, deployment and run. All but the first kind's start in one process less, to save time."""
    deployment_id = made.register(kind)
    if kind != next(iter(CYCLES)):
        made.start_quickly(deployment_id)
    return kind, deployment_id, made.start(kind, deployment_id)


def _fields_with(credential: str, made: Place) -> frozenset[At]:
    """Where the credential of the Prefect API itself stands."""
    finder = Finder(credential, [credential])
    told = {at: None for each in messages(made.recording) for at, text in parts(each) if finder.find(as_bytes(text))}
    return frozenset(told)


def _print_figures(done: dict[str, Measured], seconds: float) -> None:
    figures = {
        "cycles": sum(len(each.states) for each in done.values()),
        "bytes": sum(each.size for each in done.values()),
        "canaries": len(KINDS),
        "fields": len(set().union(*(each.report.fields for each in done.values()))),
        "seconds": round(seconds),
    }
    print(json.dumps(figures))  # noqa: T201 - shown with -s


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("level", EACH)
def test_nothing_is_told_that_is_not_published(measured, level):
    """Each canary stands only where the list says that its kind of thing does, at this level."""
    wrong = {(kind, form, at) for kind, form, at in measured[level].report.sightings if not _may_stand(kind, at, level)}
    assert not wrong, "\n".join(map(str, sorted(wrong, key=str)))


def _may_stand(kind: str, at: At, level: str) -> bool:
    listed = published.find_facts(at.call, at.field) or frozenset()
    return any(fact in listed and facts.is_sent_at(fact, level) for fact in FACTS.get(kind, "").split(", ") if fact)


def test_every_run_ended_as_it_should(measured):
    for level, each in measured.items():
        returned = [state for kind, state in zip(EACH[level], each.states, strict=False) if kind == "return"]
        assert {"Completed"} >= set(returned)
        assert each.states.count("Completed") == len(returned)
        assert set(each.states) <= {"Failed", "Crashed", "Completed"}


@pytest.mark.parametrize("level", EACH)
def test_every_field_is_published(measured, level):
    unknown = {at for at in measured[level].report.fields if published.find_facts(at.call, at.field) is None}
    assert not unknown, "\n".join(map(str, sorted(unknown, key=str)))


def test_every_published_field_is_told(measured, at_home):
    """The list has nothing that is not so: each field was seen, and each fact that canaries stand for at one of its places."""
    seen = at_home.union(*(each.report.fields for each in measured.values()))
    never = [
        (call.call, pattern)
        for call in published.CALLS
        if not call.is_rare
        for pattern in (*call.facts_by_field, *call.plain_fields.split())
        if not any(
            published.matches_pattern(call.call, at.call) and published.matches_pattern(pattern, at.field)
            for at in seen
        )
    ]
    assert not never


def test_every_field_is_published_of_the_local_stack(at_home):
    assert not [at for at in at_home if published.find_facts(at.call, at.field) is None]


def test_every_fact_has_been_seen(measured):
    """Each canary that may become known does, at the level from which on it is told: so the search finds what is there."""
    everywhere = {level: {kind for kind, _, _ in each.report.sightings} for level, each in measured.items()}
    unseen = set(FACTS) - everywhere["everything"] - everywhere["messages"]
    assert not unseen
    for kind, named in FACTS.items():
        if kind in everywhere["types"] | everywhere["messages"]:
            assert any(facts.FACTS[fact].lowest_level != "everything" for fact in named.split(", ")), kind


def test_nothing_was_misread(measured):
    """What the bytes hold is in the messages that were read from them, and Prefect answers with what it was told."""
    for each in measured.values():
        assert not each.report.unread
        told = {kind for kind, _, _ in each.report.sightings}
        assert each.report.answered - told <= set(ANSWERED)
    assert set(ANSWERED) <= measured["messages"].report.answered


def test_the_credential_of_prefect_goes_where_it_belongs(measured):
    for each in measured.values():
        assert {at.field for at in each.auth_fields} == {"header:authorization", "token"}
