"""What somebody changed in Prefect's own screens: shown, left alone, and overwritten only when that is said."""

from __future__ import annotations

import asyncio
import sys

import pytest
from prefect import flow
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.schedules import RRuleSchedule

from satflow_ext.deployments import queries
from satflow_ext.errors import DeploymentDrifted, DeploymentTaken
from satflow_ext.models import CronSchedule, Registration
from satflow_ext.registration import register
from satflow_ext.registration.preview import preview_registration
from tests.registration.screens import in_prefect

SIX = CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin")
CHOICES = {"schedule": SIX, "parameters": {"count": 2, "color": "red"}, "tags": ("nightly",)}


@flow
def counts(count: int = 1, color: str = "blue"):
    return count, color


@pytest.fixture
def edited(stack, registered):
    """A deployment whose schedule, one parameter, tags, description and environment somebody has changed in Prefect."""
    done = registered(counts, **CHOICES)

    async def edit(client):
        row = await client.read_deployment(done.deployment.id)
        await client.update_deployment_schedule(row.id, row.schedules[0].id, schedule=_rrule())
        change = DeploymentUpdate(
            parameters={"count": 5, "color": "red"},
            tags=["nightly", "important"],
            description="Ask Ann",
            job_variables={**row.job_variables, "env": {"REGION": "north"}},
            concurrency_limit=3,
        )
        await client.update_deployment(row.id, change)

    in_prefect(stack, edit)
    return done


def _rrule():
    return RRuleSchedule(rrule="DTSTART:20200101T000000\nFREQ=WEEKLY;BYDAY=MO", timezone="Europe/Berlin")


def rows(changes):
    return {change.name: (change.before, change.after) for change in changes}


DRIFT = {
    "schedule": ("0 6 * * * (Europe/Berlin)", "DTSTART:20200101T000000 FREQ=WEEKLY;BYDAY=MO (Europe/Berlin)"),
    "parameters.count": ("2", "5"),
    "tags.important": (None, "important"),
    "description": ("none", "Ask Ann"),
    "concurrency_limit": ("none", "3"),
}


def test_shown_and_left_alone_by_the_same_registration(stack, edited, registered):
    listed = asyncio.run(queries.get_deployment(stack.endpoints, edited.deployment.id))
    assert rows(listed.drift) == DRIFT

    again = registered(counts, **CHOICES)
    assert (again.outcome, rows(again.kept)) == ("unchanged", DRIFT)
    assert again.deployment.parameters == {"count": 5, "color": "red"}


def test_left_alone_by_a_next_version_with_the_same_choices(stack, edited, registered):
    @flow(name="counts")
    def other(count: int = 1, color: str = "blue"):
        return color, count

    changed = registered(other, **CHOICES)
    assert (changed.outcome, changed.deployment.version, rows(changed.kept)) == ("changed", 2, DRIFT)
    row = in_prefect(stack, lambda client: client.read_deployment(edited.deployment.id))
    assert [each.schedule.rrule for each in row.schedules] == [_rrule().rrule]
    assert (row.parameters, set(row.tags)) == ({"count": 5, "color": "red"}, {"nightly", "important"})
    assert (row.description, row.global_concurrency_limit.limit) == ("Ask Ann", 3)
    assert row.job_variables["env"] == {"REGION": "north"}
    assert row.job_variables["command"].endswith("-m prefect.engine")


def test_another_choice_wins_where_nobody_else_changed_that(edited, registered):
    done = registered(counts, **{**CHOICES, "parameters": {"count": 2, "color": "green"}})
    assert done.deployment.parameters == {"count": 5, "color": "green"}
    assert rows(done.kept) == DRIFT


def test_what_both_have_changed_is_refused_and_nothing_is_lost(stack, edited, packed, name):
    seven = CronSchedule(cron="0 7 * * *", timezone="Europe/Berlin")
    wanted = Registration(name=name, schedules=(seven,), parameters={"count": 3, "color": "red"}, tags=("nightly",))
    attempt = register(packed(counts), wanted, stack.endpoints, stack.settings)
    said = r"schedule: 0 6 \* \* \* .* → DTSTART.*; parameters.count: 2 → 5\. .*--overwrite"
    with pytest.raises(DeploymentDrifted, match=said):
        asyncio.run(attempt)
    listed = asyncio.run(queries.get_deployment(stack.endpoints, edited.deployment.id))
    assert (listed.version, rows(listed.drift)) == (1, DRIFT)
    done = asyncio.run(register(packed(counts), wanted, stack.endpoints, stack.settings, overwrite=True))
    assert (done.deployment.schedules, done.deployment.parameters) == ((seven,), {"count": 3, "color": "red"})


@pytest.fixture
def detour(stack, registered):
    """A deployment of which somebody has changed pull steps, entrypoint and command."""
    done = registered(counts, **CHOICES)
    added = {"prefect.deployments.steps.set_working_directory": {"directory": "/srv/secret"}}

    async def edit(client):
        row = await client.read_deployment(done.deployment.id)
        change = DeploymentUpdate(
            pull_steps=[added, *row.pull_steps],
            entrypoint="theirs.py:flow",
            job_variables={**row.job_variables, "command": "nice python -m prefect.engine"},
        )
        await client.update_deployment(row.id, change)

    in_prefect(stack, edit)
    return done


def way_of(stack, done):
    row = in_prefect(stack, lambda client: client.read_deployment(done.deployment.id))
    return row.version, row.pull_steps, row.entrypoint, row.job_variables["command"]


PULL = "satflow_ext.runtime.pull(manifest, store)"
DETOURS = {
    "pull_steps": (PULL, f"prefect.deployments.steps.set_working_directory(directory), {PULL}"),
    "entrypoint": ("satflow_flow.py:flow", "theirs.py:flow"),
    "job_variables.command": (f"{sys.executable} -m prefect.engine", "nice python -m prefect.engine"),
}


def test_what_leads_elsewhere_is_shown_and_left_alone_by_the_same_registration(stack, detour, registered):
    listed = asyncio.run(queries.get_deployment(stack.endpoints, detour.deployment.id))
    assert rows(listed.drift) == DETOURS
    again = registered(counts, **CHOICES)
    assert (again.outcome, rows(again.kept)) == ("unchanged", DETOURS)


def test_what_leads_elsewhere_is_overwritten_only_when_that_is_said(stack, detour, packed, name):
    wanted = Registration(name=name, **{**CHOICES, "tags": ("hourly",)})
    before = way_of(stack, detour)
    said = r"pull_steps: .*; entrypoint: .* → theirs.py:flow; job_variables.command: .* → nice .*--overwrite"
    attempt = register(packed(counts), wanted, stack.endpoints, stack.settings)
    with pytest.raises(DeploymentDrifted, match=said):
        asyncio.run(attempt)
    attempt = preview_registration(packed(counts), wanted, stack.endpoints, stack.settings)
    with pytest.raises(DeploymentDrifted, match=said):
        asyncio.run(attempt)
    assert way_of(stack, detour) == before
    done = asyncio.run(register(packed(counts), wanted, stack.endpoints, stack.settings, overwrite=True))
    assert (done.deployment.version, done.deployment.drift) == (2, ())
    version, steps, *way = way_of(stack, detour)
    assert (version, len(steps), way) == ("2", 1, [DETOURS["entrypoint"][0], DETOURS["job_variables.command"][0]])


def test_an_environment_that_is_built_anew_leads_nowhere_else(stack, registered):
    done = registered(counts, **CHOICES, environment="recreate")
    assert done.deployment.drift == ()

    async def edit(client):
        row = await client.read_deployment(done.deployment.id)
        job_variables = {**row.job_variables, "command": "python -m prefect.engine"}
        await client.update_deployment(row.id, DeploymentUpdate(job_variables=job_variables))

    in_prefect(stack, edit)
    (change,) = registered(counts, **CHOICES, environment="recreate").kept
    assert (change.name, change.after) == ("job_variables.command", "python -m prefect.engine")


def test_what_is_live_can_be_chosen(edited, registered):
    done = registered(counts, **{**CHOICES, "parameters": {"count": 5, "color": "red"}})
    assert (done.outcome, done.deployment.version) == ("changed", 2)
    assert "parameters.count" not in rows(done.deployment.drift)


def test_overwritten_when_that_is_said(stack, edited, packed, name):
    wanted = Registration(name=name, **CHOICES)
    again = register(packed(counts), wanted, stack.endpoints, stack.settings, overwrite=True)
    done = asyncio.run(again)
    assert (done.outcome, done.deployment.version) == ("restored", 1)
    assert (done.kept, done.deployment.drift) == ((), ())
    assert done.deployment.schedules == (SIX,)
    assert done.deployment.parameters == {"count": 2, "color": "red"}


def test_a_schedule_that_was_switched_off_stays_off(stack, registered):
    done = registered(counts, **CHOICES)

    async def switch_off(client):
        row = await client.read_deployment(done.deployment.id)
        await client.update_deployment_schedule(row.id, row.schedules[0].id, active=False)

    in_prefect(stack, switch_off)
    changed = registered(counts, **{**CHOICES, "tags": ("hourly",)})
    assert (changed.outcome, changed.deployment.next_runs, changed.deployment.drift) == ("changed", (), ())


def test_a_deployment_that_somebody_else_made_is_not_taken(stack, packed, name):
    async def make(client):
        flow_id = await client.create_flow_from_name("counts")
        schedules = [DeploymentScheduleCreate(schedule=_rrule())]
        await client.create_deployment(flow_id, name, entrypoint="theirs.py:counts", schedules=schedules)

    in_prefect(stack, make)
    attempt = register(packed(counts), Registration(name=name), stack.endpoints, stack.settings)
    with pytest.raises(DeploymentTaken, match=f"counts/{name} already exists, and SatFlow did not create it"):
        asyncio.run(attempt)
    taken = register(packed(counts), Registration(name=name), stack.endpoints, stack.settings, overwrite=True)
    assert asyncio.run(taken).deployment.version == 1
