"""What a cut left in Prefect is settled by the next registration, and what somebody did there is left alone."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

import pytest
from prefect import flow

from satflow_ext.deployments import conflicts, queries, startup_recovery, write_marker
from satflow_ext.deployments.journal import Journal
from satflow_ext.errors import DeploymentDrifted, DeploymentNotFound
from satflow_ext.models import CronSchedule, Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import register
from satflow_ext.versions.pin import Pin
from tests.registration.screens import in_prefect

CHOICES = {
    "schedules": (CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin"),),
    "parameters": {"count": 2},
    "tags": ("nightly",),
}


@flow
def counts(count: int = 1):
    return count


@pytest.fixture
def lose(stack):
    """Takes a deployment's last commits out of Prefect's database, as a power cut does: its witness, and its row."""
    database = stack.settings.state_dir / "prefect" / "prefect.db"

    def lose_one(name, *, row=True):
        entry = entry_of(stack, name)
        with sqlite3.connect(database, timeout=60) as connection:
            if row:
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("DELETE FROM deployment WHERE name = ?", (name,))
            connection.execute("DELETE FROM variable WHERE name = ?", (entry.marker_name,))
        connection.close()

    return lose_one


def entry_of(stack, name):
    return Journal(stack.settings).read_entry(stack.endpoints, f"counts/{name}")


def found(stack, name):
    return asyncio.run(queries.find_deployment(stack.endpoints, f"counts/{name}"))


@pytest.fixture
def heal_all(stack, caplog):
    """Does what the local stack does when it starts, and gives what that said."""

    def heal_all_once():
        caplog.clear()
        asyncio.run(startup_recovery.recover_all(stack.settings, stack.record))
        return caplog.text

    return heal_all_once


def as_registered(deployment):
    return (deployment.version, deployment.schedules, deployment.parameters, deployment.tags, deployment.paused)


async def marker_of(stack, entry):
    async with prefect_client(stack.endpoints.prefect) as client:
        return await write_marker.read_marker(client, entry.marker_name)


def test_the_journal_says_what_prefect_was_told_and_nothing_is_left_begun(stack, registered, name):
    done = registered(counts, **CHOICES)
    entry = entry_of(stack, name)
    assert (entry.begun, entry.written.version, entry.written.pin) == (None, 1, Pin("local", done.manifest))
    assert asyncio.run(marker_of(stack, entry)) == entry.written.number == 1
    registered(counts, **CHOICES)
    assert entry_of(stack, name) == entry, "nothing was written, so nothing is in the journal"


def test_a_row_that_prefect_lost_is_written_again_when_the_stack_starts(stack, registered, name, lose, heal_all):
    done = registered(counts, **CHOICES)
    asyncio.run(queries.set_paused(stack.endpoints, stack.settings, done.deployment.id, True))
    lose(name)
    assert f"Prefect had lost version 1 of counts/{name}; it was restored." in heal_all()
    again = found(stack, name)
    assert as_registered(again) == (1, CHOICES["schedules"], {"count": 2}, ("nightly",), True)
    assert again.drift == ()
    assert heal_all() == "", "once is enough"


def test_a_row_that_prefect_lost_is_written_again_by_the_next_registration(stack, registered, name, lose, caplog):
    registered(counts, **CHOICES)
    lose(name)
    with caplog.at_level(logging.WARNING):
        again = registered(counts, **CHOICES)
    assert (again.outcome, again.deployment.version) == ("unchanged", 1)
    assert f"Prefect had lost version 1 of counts/{name}" in caplog.text
    changed = registered(counts, **{**CHOICES, "tags": ("hourly",)})
    assert (changed.outcome, changed.deployment.version) == ("changed", 2)


def test_a_row_that_went_back_to_an_earlier_version_is_written_again(stack, registered, name, lose, heal_all):
    first = registered(counts, **CHOICES)
    second = registered(counts, **{**CHOICES, "parameters": {"count": 3}})
    repin(stack, first, 1)
    lose(name, row=False)
    assert "lost version 2" in heal_all()
    again = found(stack, name)
    assert (again.version, again.parameters, again.id) == (2, {"count": 3}, second.deployment.id)


def repin(stack, done, version):
    """Let a deployment run another version, as somebody can with Prefect's API."""

    async def repin_row(client):
        row = await client.read_deployment(done.deployment.id)
        await client.create_deployment(
            row.flow_id, row.name, version=str(version), pull_steps=Pin("local", done.manifest).pull_steps()
        )

    in_prefect(stack, repin_row)


def test_what_somebody_deleted_in_prefect_does_not_come_back_unasked(stack, registered, packed, name, heal_all):
    done = registered(counts, **CHOICES)
    in_prefect(stack, lambda client: client.delete_deployment(done.deployment.id))
    assert heal_all() == ""
    with pytest.raises(DeploymentNotFound):
        found(stack, name)
    asked = conflicts.look_up_deployment(stack.endpoints, stack.settings, name)
    with pytest.raises(DeploymentNotFound, match=f"counts/{name} was deleted in Prefect after version 1.*overwrite"):
        asyncio.run(asked)
    with pytest.raises(DeploymentDrifted, match=f"counts/{name} was deleted in Prefect after version 1.*--overwrite"):
        registered(counts, **CHOICES)
    wanted = Registration(name=name, **CHOICES)
    again = asyncio.run(register(packed(counts), wanted, stack.endpoints, stack.settings, overwrite=True))
    assert (again.outcome, again.deployment.version) == ("created", 2), "a number means one version for ever"
    assert registered(counts, **CHOICES).outcome == "unchanged"


def test_what_somebody_made_run_an_earlier_version_is_told_and_left_alone(stack, registered, name, heal_all):
    first = registered(counts, **CHOICES)
    registered(counts, **{**CHOICES, "tags": ("hourly",)})
    repin(stack, first, 1)
    assert heal_all() == ""
    with pytest.raises(DeploymentDrifted, match=f"counts/{name} no longer runs version 2, which was registered"):
        registered(counts, **CHOICES)
    assert found(stack, name).version == 1


def test_deleted_with_satflow_leaves_nothing_behind(stack, registered, name):
    done = registered(counts, **CHOICES)
    entry = entry_of(stack, name)
    asyncio.run(queries.delete_deployment(stack.endpoints, stack.settings, done.deployment.id))
    assert entry_of(stack, name) is None
    assert in_prefect(stack, lambda client: client.read_variable_by_name(entry.marker_name)) is None
    assert registered(counts, **CHOICES).deployment.version == 1
