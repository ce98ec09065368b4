"""Versions on the real local stack: listed, compared, gone back to; and what is said where the store has lost some."""

from __future__ import annotations

import asyncio

import pytest
from prefect import flow, get_run_logger, task

from satflow_ext.deployments import versions
from satflow_ext.errors import ContentMissing, VersionNotFound
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import CronSchedule, ExecutorChoice, VersionQuery
from satflow_ext.registration.registrar import roll_back
from satflow_ext.versions import manifest_store
from tests.flow_runs import log_of

SIX = CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin")


@task
def double(number):
    return 2 * number


@task
def triple(number):
    return 3 * number


@flow(name="numbers")
def first(number: int = 7):
    get_run_logger().info(f"made {double(number)}")


@flow(name="numbers")
def second(number: float = 7.5, label: str = "x"):
    get_run_logger().info(f"made {triple(number)} {label}")


@pytest.fixture
def three(registered):
    """Three versions: the first, one with other code and everything else chosen otherwise, and the same with a tag."""
    registered(first, schedule=SIX, parameters={"number": 5})
    choices = {"executor": ExecutorChoice(name="threads", options={"max_workers": 3})}
    registered(second, **choices)
    return registered(second, tags=("third",), **choices)


def history(stack, done, **query):
    return asyncio.run(versions.list_versions(stack.endpoints, done.deployment.id, VersionQuery(**query)))


def lose(stack, digest):
    """Take a document away from the store, and from what this process remembers."""
    for file in (stack.settings.state_dir / "store").rglob("*"):
        if digest.removeprefix("sha256:") in file.name:
            file.unlink()
    manifest_store._cache.pop(digest, None)


def test_listed_newest_first_page_by_page(stack, three):
    page = history(stack, three, limit=2)
    assert [(one.number, one.live, one.record.content_kept) for one in page.versions] == [
        (3, True, True),
        (2, False, True),
    ]
    assert page.versions[0].record.summary == "tags.third added"
    assert (page.next, page.lost) == (2, None)
    rest = history(stack, three, before=page.next, limit=2)
    assert [(one.number, one.record.summary) for one in rest.versions] == [(1, "the first version")]
    assert (rest.next, rest.lost) == (None, None)


def test_compared(stack, three):
    diff = asyncio.run(versions.diff_versions(stack.endpoints, three.deployment.id, 1, 2))
    rows = {change.name: (change.before, change.after) for change in (*diff.parameters, *diff.executor, *diff.choices)}
    assert rows == {
        "number": ("integer = 7", "number = 7.5"),
        "label": (None, 'string = "x"'),
        "max_workers": (None, "3"),
        "schedule": ("0 6 * * * (Europe/Berlin)", None),
        "parameters.number": ("5", None),
    }
    assert (diff.packages, diff.environment, diff.code) == ((), (), ())
    assert diff.unexplained, "both are in this one file, whose text is the same"


def test_rolled_back_and_run_by_a_stock_worker(stack, three, ran):
    done = asyncio.run(roll_back(stack.endpoints, stack.settings, three.deployment.id, 1))
    assert (done.outcome, done.deployment.version, done.deployment.schedules) == ("changed", 4, (SIX,))
    assert (done.deployment.parameters, done.deployment.tags, done.deployment.drift) == ({"number": 5}, (), ())
    made = asyncio.run(
        manifest_store.read_verified_manifest(stack.endpoints.store, done.manifest, read_trusted_keys(stack.settings))
    )
    page = history(stack, three)
    assert (made.restores, page.versions[0].record.summary) == (1, "version 1 again")
    assert made.earlier[0] == three.manifest, "history goes on, nothing of it is lost"
    assert (
        made.content
        != asyncio.run(manifest_store.read_manifest(stack.endpoints.store, page.versions[3].manifest)).content
    )
    detail = ran(done)
    assert (detail.run.state_type, detail.run.parameters) == ("COMPLETED", {"number": 5})
    assert "made 10" in log_of(stack, detail.run.id)


def test_rolled_back_to_what_is_live(stack, three):
    done = asyncio.run(roll_back(stack.endpoints, stack.settings, three.deployment.id, 3))
    assert (done.outcome, done.deployment.version) == ("unchanged", 3)


def test_a_version_whose_content_is_gone_is_shown_and_refused(stack, three):
    pinned = history(stack, three).versions[2].manifest
    lose(stack, asyncio.run(manifest_store.read_manifest(stack.endpoints.store, pinned)).content)
    assert [one.record.content_kept for one in history(stack, three).versions] == [True, True, False]
    attempt = roll_back(stack.endpoints, stack.settings, three.deployment.id, 1)
    with pytest.raises(ContentMissing, match=r"no longer has the content of .* version 1\."):
        asyncio.run(attempt)
    assert history(stack, three).versions[0].number == 3


def test_a_manifest_that_is_gone_hides_no_other(stack, three):
    lose(stack, history(stack, three).versions[1].manifest)
    found = history(stack, three).versions
    assert [(one.number, one.record is None) for one in found] == [(3, False), (2, True), (1, False)]
    assert "has no content" in found[1].problem
    assert found[0].record.summary == "unknown changes"
    with pytest.raises(ContentMissing):
        asyncio.run(versions.diff_versions(stack.endpoints, three.deployment.id, 1, 2))


def test_what_is_behind_a_lost_newest_manifest_is_not_known(stack, three):
    lose(stack, three.manifest)
    page = history(stack, three)
    assert [(one.number, one.live, one.record) for one in page.versions] == [(3, True, None)]
    assert page.lost == "The versions before version 3 are unknown: its manifest cannot be read."


@pytest.mark.parametrize("number", [0, 4, 99])
def test_no_such_version(stack, three, number):
    with pytest.raises(VersionNotFound, match=rf"has no version {number}\. It has versions 1 to 3\."):
        asyncio.run(versions.read_version(stack.endpoints, three.deployment.id, number))
