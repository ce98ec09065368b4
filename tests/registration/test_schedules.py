"""Schedules: what Prefect would take and should not, and the next runs by Prefect's own arithmetic."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta, timezone
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


SIX = CronSchedule(cron="0 6 * * *")
DAY = date(2036, 3, 1)


def bounded(schedule, start=DAY, end=date(2036, 4, 30)):
    return schedule.model_copy(update={"start": start, "end": end, "timezone": "Europe/Berlin"})


@pytest.mark.parametrize(
    "cron",
    ["@daily", "*/15 6-8 * * mon-fri", "0 */6 1,15 * *", "5/20 4 * apr,3 5-7", "30 6 * * SUN", "0 3-9/3 */10 1-6 *"],
)
def test_a_cron_line_with_a_start_and_an_end_has_the_runs_of_the_line_between_them(cron):
    """The rule that Prefect stores has the same times as Prefect's own cron schedule, also when the clocks change."""
    plain = schedules._server_schedule(CronSchedule(cron=cron, timezone="Europe/Berlin"))
    first, after = datetime(2036, 2, 29, 23, tzinfo=timezone.utc), datetime(2036, 4, 30, 22, tzinfo=timezone.utc)
    expected = asyncio.run(plain.get_dates(1000, start=first, end=after - timedelta(seconds=1)))
    found = asyncio.run(schedules.preview_runs(bounded(CronSchedule(cron=cron)), 1000))
    assert [run.timestamp() for run in found] == [run.timestamp() for run in expected]


@pytest.mark.parametrize(
    ("seconds", "anchor", "first", "count"),
    [
        (90 * 60, None, "2036-02-29T23:00:00+00:00", 976),
        (7200, datetime(2026, 1, 1, 6, 30, tzinfo=timezone.utc), "2036-03-01T00:30:00+00:00", 731),
        (86400, datetime(2026, 1, 1, 6, 30, tzinfo=timezone.utc), "2036-03-01T07:30:00+01:00", 61),
        (86400 * 7, None, "2036-03-01T00:00:00+01:00", 9),
    ],
)
def test_an_interval_with_a_start_and_an_end_is_counted_from_its_anchor_or_the_first_day(seconds, anchor, first, count):
    runs = asyncio.run(schedules.preview_runs(bounded(IntervalSchedule(seconds=seconds, anchor=anchor)), 1000))
    assert (runs[0].isoformat(), len(runs)) == (first, count)
    assert runs[-1] < datetime(2036, 4, 30, 22, tzinfo=timezone.utc)
    steps = {later.timestamp() - earlier.timestamp() for earlier, later in pairwise(runs)}
    assert steps == {seconds} if seconds < 86400 else steps == {seconds, seconds - 3600}


@pytest.mark.parametrize(
    "cron", ["0 6 * * *", "*/7 1-5 * 2,jul *", "@hourly", "0 0 */9 * *", "1,2 3 * * */2", "0 0 * * 7"]
)
def test_the_values_of_a_cron_line_are_those_that_prefect_reads(cron):
    from prefect._vendor.croniter import croniter

    expected = [None if values == ["*"] else values for values in croniter.expand(cron)[0]]
    assert schedules.expand_cron(cron) == expected


@pytest.mark.parametrize(
    ("schedule", "field", "words"),
    [
        (bounded(SIX, end=date(2036, 2, 28)), "schedule.end", "ends on 2036-02-28, before its start on 2036-03-01"),
        (bounded(CronSchedule(cron="0 6 * * 5#1")), "schedule.cron", "'0 6 . . 5#1' cannot have a start or an end"),
        (bounded(CronSchedule(cron="0 6 L * *")), "schedule.cron", "cannot have a start or an end"),
        (bounded(CronSchedule(cron="0 6 1 * 1")), "schedule.cron", "days of the month and of the week"),
        (bounded(IntervalSchedule(seconds=90)), "schedule.seconds", "90 seconds cannot have a start or an end"),
        (bounded(IntervalSchedule(seconds=86400 * 1.5)), "schedule.seconds", "cannot have a start or an end"),
        (bounded(IntervalSchedule(seconds=3600), start=None), "schedule.start", "with an end needs a start"),
        (bounded(CronSchedule(cron="* * * * *")), "schedule.end", "can have 50,000 runs"),
        (bounded(CronSchedule(cron="*/5 * * * *"), end=None), "schedule.end", "can have 50,000 runs"),
        (bounded(CronSchedule(cron="0 * * * *"), start=None), "schedule.start", "can have 50,000 runs"),
    ],
)
def test_a_start_or_an_end_that_prefect_could_not_keep_is_refused(schedule, field, words):
    with pytest.raises(InvalidSchedule, match=words) as caught:
        schedules.check_schedule(schedule)
    assert caught.value.field == field


SEVEN = CronSchedule(cron="0 7 * * *", name="seven")


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
