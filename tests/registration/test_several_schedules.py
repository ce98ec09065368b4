"""Several schedules of a deployment: what Prefect has of them, and what happens to each when it was changed there."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timezone

import pytest
from prefect import flow
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.schedules import CronSchedule as PrefectCron

from satflow_ext.deployments import queries
from satflow_ext.errors import DeploymentDrifted
from satflow_ext.models import CronSchedule, IntervalSchedule, RRuleSchedule
from tests.eventually import eventually
from tests.registration.screens import in_prefect

EARLY = CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin", name="early", parameters={"count": 4})
LATE = CronSchedule(cron="0 18 * * *", timezone="Europe/Berlin", name="late")
PLAIN = CronSchedule(cron="0 12 * * *")
RULE = RRuleSchedule(rrule="FREQ=MONTHLY;BYDAY=-1FR", timezone="Europe/Berlin", name="fridays", active=False)
OFTEN = IntervalSchedule(seconds=86400, name="often", anchor=datetime(2026, 1, 1, 6, 30, tzinfo=timezone.utc))
SEASON = CronSchedule(
    cron="0 6 * * 1-5", timezone="Europe/Berlin", start=date(2026, 3, 1), end=date(2099, 10, 31), name="season"
)
HOURLY = IntervalSchedule(seconds=7200, timezone="Europe/Berlin", start=date(2026, 3, 1), name="hourly")


@flow
def counts(count: int = 1):
    return count


@pytest.fixture
def listed(stack):
    """Reads a deployment as JupyterLab shows it."""
    return lambda done: asyncio.run(queries.get_deployment(stack.endpoints, done.deployment.id))


def change(stack, done, slug, **fields):
    """Change the schedule with a slug in Prefect's own screens; None: add another one."""

    async def edit(client):
        row = await client.read_deployment(done.deployment.id)
        if slug is None:
            await client.create_deployment_schedules(row.id, [(PrefectCron(cron="0 3 * * *"), True)])
            return
        (found,) = [each for each in row.schedules if each.slug == slug]
        if fields:
            await client.update_deployment_schedule(row.id, found.id, **fields)
        else:
            await client.delete_deployment_schedule(row.id, found.id)

    in_prefect(stack, edit)


def rows(changes):
    return {each.name: (each.before, each.after) for each in changes}


def live(stack, done):
    row = in_prefect(stack, lambda client: client.read_deployment(done.deployment.id))
    return {each.slug: each for each in row.schedules}


def test_each_schedule_is_one_of_prefect_and_runs_with_its_parameters(stack, registered, listed):
    schedules = (EARLY, PLAIN, RULE, OFTEN)
    done = registered(counts, schedules=schedules, parameters={"count": 2})
    found = live(stack, done)
    assert {slug: (each.active, each.parameters) for slug, each in found.items()} == {
        "early": (True, {"count": 4}),
        "satflow": (True, {}),
        "fridays": (False, {}),
        "often": (True, {}),
    }
    shown = listed(done)
    assert sorted(shown.schedules, key=str) == sorted(schedules, key=str)
    assert (shown.drift, len(shown.next_runs)) == ((), 5)  # Prefect completes a rule and an interval: that is no change
    assert registered(counts, schedules=schedules, parameters={"count": 2}).outcome == "unchanged"

    def planned():
        where = FlowRunFilter(deployment_id={"any_": [done.deployment.id]})
        runs = in_prefect(stack, lambda client: client.read_flow_runs(flow_run_filter=where))
        return {(run.expected_start_time.hour, run.parameters["count"]) for run in runs}

    eventually(lambda: {count for _, count in planned()} == {2, 4} or None)
    assert {count for hour, count in planned() if hour == 12} == {2}


def test_each_schedule_is_merged_by_its_slug(stack, registered, listed):
    done = registered(counts, schedules=(EARLY, LATE, PLAIN))
    change(stack, done, "early", schedule=PrefectCron(cron="0 7 * * *", timezone="Europe/Berlin"))
    change(stack, done, "late")
    change(stack, done, "satflow", active=False)
    drift = {
        "schedules.early": ('0 6 * * * (Europe/Berlin) with {"count": 4}', "0 7 * * * (Europe/Berlin)"),
        "schedules.late": ("0 18 * * * (Europe/Berlin)", None),
    }
    changes = rows(listed(done).drift)
    assert changes.keys() == drift.keys()
    assert changes["schedules.late"] == drift["schedules.late"]
    assert changes["schedules.early"][1].startswith("0 7 * * *")
    again = registered(counts, schedules=(EARLY, LATE, PLAIN, OFTEN))
    assert (again.outcome, rows(again.kept).keys()) == ("changed", drift.keys())
    found = live(stack, done)
    assert (found.keys(), found["early"].schedule.cron) == ({"early", "satflow", "often"}, "0 7 * * *")
    assert not found["satflow"].active
    other = EARLY.model_copy(update={"cron": "0 5 * * *"})
    with pytest.raises(DeploymentDrifted, match=r"schedules\.early"):
        registered(counts, schedules=(other, LATE, PLAIN, OFTEN))


def test_a_schedule_that_was_added_in_prefect_is_kept(stack, registered, listed):
    done = registered(counts, schedules=(PLAIN,))
    change(stack, done, None)
    drift = {"schedules.0 3 * * * (UTC)": (None, "0 3 * * * (UTC)")}
    assert rows(listed(done).drift) == drift
    again = registered(counts, schedules=(PLAIN, EARLY))
    assert rows(again.kept) == drift
    assert sorted(each.schedule.cron for each in live_list(stack, done)) == ["0 12 * * *", "0 3 * * *", "0 6 * * *"]


def live_list(stack, done):
    return in_prefect(stack, lambda client: client.read_deployment(done.deployment.id)).schedules


def test_another_switch_is_a_choice_and_the_same_one_keeps_the_state(stack, registered):
    done = registered(counts, schedules=(EARLY, LATE))
    change(stack, done, "late", active=False)
    off = EARLY.model_copy(update={"active": False})
    changed = registered(counts, schedules=(off, LATE))
    assert changed.outcome == "changed"
    assert {slug: each.active for slug, each in live(stack, done).items()} == {"early": False, "late": False}
    on = registered(counts, schedules=(EARLY, LATE))
    assert on.outcome == "changed"
    assert {slug: each.active for slug, each in live(stack, done).items()} == {"early": True, "late": False}


def test_a_start_and_an_end_are_kept_as_a_rule_and_merged_with_changes_in_prefect(stack, registered, listed):
    done = registered(counts, schedules=(SEASON, HOURLY))
    rule = live(stack, done)["season"].schedule.rrule
    assert rule.startswith("DTSTART:20260301T000000\nRRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;")
    assert rule.endswith("UNTIL=20991031T235959")
    shown = listed(done)
    assert (set(map(str, shown.schedules)), shown.drift) == ({str(SEASON), str(HOURLY)}, ())
    assert registered(counts, schedules=(SEASON, HOURLY)).outcome == "unchanged"
    change(stack, done, "hourly", schedule=PrefectCron(cron="0 7 * * *", timezone="Europe/Berlin"))
    changes = rows(listed(done).drift)
    assert changes["schedules.hourly"][0] == "every 7200.0 s from 2026-03-01 (Europe/Berlin)"
    assert changes["schedules.hourly"][1].startswith("0 7 * * *")
    longer = SEASON.model_copy(update={"end": date(2099, 12, 31)})
    again = registered(counts, schedules=(longer, HOURLY))
    assert (again.outcome, rows(again.kept).keys()) == ("changed", {"schedules.hourly"})
    assert live(stack, done)["season"].schedule.rrule.endswith("UNTIL=20991231T235959")
