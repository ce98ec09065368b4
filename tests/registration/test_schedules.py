"""Schedules: what Prefect would take and should not, and the next runs by Prefect's own arithmetic."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from satflow_ext.choices import schedules
from satflow_ext.errors import InvalidSchedule
from satflow_ext.models import CronSchedule, IntervalSchedule, NoSchedule


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


def test_no_schedule_has_no_next_runs():
    assert asyncio.run(schedules.preview_runs(NoSchedule())) == ()


def test_preview_refuses_what_registering_would():
    with pytest.raises(InvalidSchedule):
        asyncio.run(schedules.preview_runs(CronSchedule(cron="* * * * * *")))


def test_a_schedule_of_somebody_elses_making_has_no_next_runs_and_breaks_no_list():
    assert asyncio.run(schedules.next_runs(CronSchedule(cron="* * * * * *"))) == ()
