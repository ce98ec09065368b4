"""Schedules: what Prefect would take and should not, and the next runs by Prefect's own arithmetic."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest

from satflow_ext.choices import schedules
from satflow_ext.errors import InvalidSchedule
from satflow_ext.models import CronSchedule, IntervalSchedule, RRuleSchedule


@pytest.mark.parametrize(
    ("schedule", "field", "words"),
    [
        (CronSchedule(cron="* * * * * *"), "schedule.cron", "has five fields.*has 6"),
        (CronSchedule(cron=""), "schedule.cron", "has 0"),
        (CronSchedule(cron="61 * * * *"), "schedule.cron", "is not a valid cron expression"),
        (CronSchedule(cron="a b c d e"), "schedule.cron", "is not a valid cron expression"),
        (CronSchedule(cron="0 0 30 2 *"), "schedule.cron", "a date that never occurs"),
        (CronSchedule(cron="0 0 31 4,jun,9 *"), "schedule.cron", "a date that never occurs"),
        (CronSchedule(cron="0 0 31 2 1"), "schedule.cron", "a date that never occurs"),
        (CronSchedule(cron="0 6 * * *", timezone="localtime"), "schedule.timezone", "No time zone is called"),
        (CronSchedule(cron="0 6 * * *", timezone="Europe/Berlim"), "schedule.timezone", "No time zone is called"),
        (CronSchedule(cron="0 6 * * *", timezone="../../etc/passwd"), "schedule.timezone", "No time zone is called"),
        (CronSchedule(cron="0 6 * * *", timezone=""), "schedule.timezone", "No time zone is called"),
        (IntervalSchedule(seconds=0), "schedule.seconds", "0 seconds is not valid"),
        (IntervalSchedule(seconds=1e-7), "schedule.seconds", "1e-07 seconds is not valid"),
        (IntervalSchedule(seconds=-60), "schedule.seconds", "-60 seconds is not valid"),
        (IntervalSchedule(seconds=float("inf")), "schedule.seconds", "inf seconds is not valid"),
        (IntervalSchedule(seconds=float("nan")), "schedule.seconds", "nan seconds is not valid"),
        (IntervalSchedule(seconds=60, timezone="Mars/Base"), "schedule.timezone", "No time zone is called"),
        (RRuleSchedule(rrule=""), "schedule.rrule", "is not a valid recurrence rule"),
        (RRuleSchedule(rrule="often"), "schedule.rrule", "is not a valid recurrence rule"),
        (RRuleSchedule(rrule="FREQ=DAILY", timezone="Mars/Base"), "schedule.timezone", "No time zone is called"),
        (RRuleSchedule(rrule="FREQ=MINUTELY;BYMONTHDAY=1"), "schedule.rrule", "cannot repeat every second or minute"),
        (RRuleSchedule(rrule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "schedule.rrule", "a date that never occurs"),
        (RRuleSchedule(rrule="DTSTART:00010101T060000\nRRULE:FREQ=HOURLY"), "schedule.rrule", "starts before 2000"),
        (
            RRuleSchedule(rrule="DTSTART:20260101T060000Z\nRRULE:FREQ=DAILY", timezone="Europe/Berlin"),
            "schedule.rrule",
            "in the time zone of the schedule",
        ),
    ],
)
def test_wrong_schedule_names_its_field(schedule, field, words):
    with pytest.raises(InvalidSchedule, match=words) as caught:
        schedules.check_schedule(schedule)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "cron", ["0 6 * * *", "*/5 9-17 * * mon-fri", "@daily", "0 0 29 feb *", "0 0 28-31 2 *", "0 0 * 2 5#4"]
)
def test_cron_lines_that_are_fine(cron):
    assert schedules.check_schedule(CronSchedule(cron=cron)).cron == cron


def test_next_runs_follow_the_wall_clock_over_a_change_of_time():
    """Six o'clock in Berlin is six o'clock on either side of summer time."""
    runs = asyncio.run(schedules.preview_runs(CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin"), 300))
    assert len(runs) == 300
    assert {run.hour for run in runs} == {6}
    assert {run.utcoffset() for run in runs} == {timedelta(hours=1), timedelta(hours=2)}


def test_next_runs_of_an_interval_are_equally_far_apart():
    runs = asyncio.run(schedules.preview_runs(IntervalSchedule(seconds=900), 5))
    assert {(later - earlier).total_seconds() for earlier, later in pairwise(runs)} == {900}


def test_next_runs_of_an_interval_are_whole_intervals_from_its_anchor():
    anchor = datetime(2099, 1, 1, 6, 30, tzinfo=timezone.utc)
    (run,) = asyncio.run(schedules.preview_runs(IntervalSchedule(seconds=86400, anchor=anchor), 1))
    assert (run.hour, run.minute) == (6, 30)


def test_next_runs_of_a_rule_are_between_its_start_and_its_end():
    rule = "DTSTART:20990101T060000\nRRULE:FREQ=DAILY;UNTIL=20990103T060000"
    runs = asyncio.run(schedules.preview_runs(RRuleSchedule(rrule=rule, timezone="Europe/Berlin"), 5))
    assert [(run.year, run.day, run.hour) for run in runs] == [(2099, day, 6) for day in (1, 2, 3)]


def test_next_runs_of_several_schedules_are_those_of_the_active_ones():
    rule = "DTSTART:20990101T0{}0000\nRRULE:FREQ=DAILY;COUNT=2"
    early, late, off = (
        RRuleSchedule(rrule=rule.format(6)),
        RRuleSchedule(rrule=rule.format(8)),
        CronSchedule(cron="* * * * *"),
    )
    runs = asyncio.run(schedules.next_runs([late, early, off.model_copy(update={"active": False})], 3))
    assert [(run.day, run.hour) for run in runs] == [(1, 6), (1, 8), (2, 6)]


SIX, SEVEN = CronSchedule(cron="0 6 * * *"), CronSchedule(cron="0 7 * * *", name="seven")


@pytest.mark.parametrize(
    ("several", "field", "words"),
    [
        ((SIX, SEVEN, SEVEN), "schedules.2.name", "Schedule seven: Another schedule has this name"),
        ((SIX, CronSchedule(cron="x")), "schedules.1.cron", "Schedule 2: A cron expression has five fields"),
        ((SIX, IntervalSchedule(seconds=0, name="fast")), "schedules.1.seconds", "Schedule fast: An interval of 0"),
        ((CronSchedule(cron="0 6 * * *", name="satflow-2"),), "schedules.0.name", "^The name 'satflow-2' is used"),
    ],
)
def test_a_wrong_schedule_of_several_is_named(several, field, words):
    with pytest.raises(InvalidSchedule, match=words) as caught:
        schedules.check_schedules(several)
    assert caught.value.field == field


def test_preview_refuses_what_registering_would():
    with pytest.raises(InvalidSchedule):
        asyncio.run(schedules.preview_runs(CronSchedule(cron="* * * * * *")))


def test_a_schedule_of_somebody_elses_making_has_no_next_runs_and_breaks_no_list():
    assert asyncio.run(schedules.next_runs([CronSchedule(cron="* * * * * *")])) == ()
