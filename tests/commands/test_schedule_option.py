"""Several schedules on a command line, in a magic and in Python."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest
from prefect import flow

from satflow_ext.choices import parse_schedules
from satflow_ext.choices.register_line import parse_line
from satflow_ext.errors import BadRequest, InvalidAutomation, InvalidParameter, InvalidSchedule
from satflow_ext.kernel.parameters import convert_schedule_values
from satflow_ext.models import CronSchedule, IntervalSchedule, Notification, Registration, RRuleSchedule, Trigger

RULE = "DTSTART:20260101T060000 RRULE:FREQ=MONTHLY;BYDAY=-1FR"


def test_several_schedules_of_a_line():
    line = (
        "tiles --cron '0 5 * * *' --timezone Asia/Tokyo"
        """ --schedule "cron='0 6 * * *' timezone=Europe/Berlin name=early active=false param.size=4 param.color=red" """
        f""" --schedule 'rrule="{RULE}"' --schedule "interval=3600 anchor=2026-01-01T00:00:00Z" """
    )
    registration = parse_line(line).registration
    assert registration.schedules == (
        CronSchedule(cron="0 5 * * *", timezone="Asia/Tokyo"),
        CronSchedule(cron="0 6 * * *", timezone="Europe/Berlin", name="early", active=False),
        RRuleSchedule(rrule=RULE, timezone="Asia/Tokyo"),
        IntervalSchedule(seconds=3600, timezone="Asia/Tokyo", anchor=datetime(2026, 1, 1, tzinfo=timezone.utc)),
    )
    assert registration.schedule_texts == ({}, {"size": "4", "color": "red"}, {}, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cron='0 6", "Schedule 2: .* cannot be read: No closing quotation"),
        ("0 6 * * *", "Schedule 2: '0' is not NAME=VALUE.*For example"),
        ("name=early", "Schedule 2: it has no times.*Give one of cron="),
        ("cron=@daily interval=60", "Schedule 2: cron and interval are both given"),
        ("cron=@daily cron=@hourly", "Schedule 2: cron is given twice"),
        ("interval=often", "Schedule 2: interval: it must be a number"),
        ("cron=@daily timezon=UTC", "no part 'timezon'.*Did you mean timezone"),
        ("cron=@daily active=perhaps", "Schedule 2: active: it must be true or false"),
        ("cron=@daily anchor=2026-01-01T00:00:00Z", "Schedule 2: anchor"),
        ("interval=60 anchor=2026-01-01T00:00:00", "Schedule 2: anchor: .*timezone"),
        ("cron=@daily start=soon", "Schedule 2: start: it must be a date, such as 2026-01-31"),
        ("cron=@daily end=2026-01-31T06:00:00", "Schedule 2: end: it must be a date without a time"),
        ("cron=@daily start=1999-01-01", "Schedule 2: start: it must be at least 2000-01-01"),
        ("rrule=FREQ=DAILY end=2026-01-31", "Schedule 2: a recurrence rule has its start and its end in itself.*UNTIL"),
        ("cron=@daily name='a b'", "Schedule 2: name: it does not have the required format"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_named(text, words):
    with pytest.raises(InvalidSchedule, match=words) as caught:
        parse_schedules(["cron='0 6 * * *'", text], None, None, None)
    assert caught.value.field == "schedules.1"


@pytest.mark.parametrize("written", [3, None, [], {"cron": "@daily", "parameters": 3}])
def test_a_value_that_is_not_a_schedule(written):
    with pytest.raises(InvalidSchedule, match=r"Schedule 1: .*(dictionary)"):
        parse_schedules([written], None, None, None)


def test_schedules_of_python_have_parameters_of_their_own_types():
    early = {"cron": "@daily", "name": "early", "start": date(2026, 1, 2), "parameters": {"day": date(2026, 1, 2)}}
    written = parse_schedules([early, "interval=60 param.size=2 end=2026-02-01"], None, None, "UTC")
    assert written[0].schedule == CronSchedule(cron="@daily", name="early", start=date(2026, 1, 2))
    assert written[1].schedule == IntervalSchedule(seconds=60, end=date(2026, 2, 1))

    @flow
    def tiles(day: date, size: int = 1):
        return day, size

    with pytest.raises(InvalidParameter, match="needs a value for 'day'"):
        convert_schedule_values(tiles, [each.given for each in written], {})
    converted = convert_schedule_values(tiles, [each.given for each in written], {"day": "2026-01-01"})
    assert converted == ({"day": "2026-01-02"}, {"size": 2})


def test_a_wrong_parameter_of_a_schedule_is_named():
    @flow
    def tiles(size: int = 1):
        return size

    written = parse_schedules(["cron=@daily", "cron=@hourly param.size=big"], None, None, None)
    with pytest.raises(InvalidParameter, match=r"Schedule 2: .*size") as caught:
        convert_schedule_values(tiles, [each.given for each in written], {})
    assert caught.value.field == "schedules.1.parameters.size"


def test_both_short_forms_are_refused():
    with pytest.raises(BadRequest, match="both given"):
        parse_schedules([], "@daily", 60.0, None)


@pytest.mark.parametrize(
    ("stored", "schedules"),
    [
        ({"kind": "none"}, ()),
        ({"kind": "cron", "cron": "0 6 * * *", "timezone": "UTC"}, (CronSchedule(cron="0 6 * * *"),)),
    ],
)
def test_the_single_schedule_of_an_earlier_manifest_is_read(stored, schedules):
    assert Registration.model_validate({"schedule": stored}).schedules == schedules


def test_notifications_and_triggers_of_a_line():
    line = "tiles --notify failed=slack-webhook/team --notify 'on=late block=a/b' --trigger after=etl/nightly"
    more = "--notify 'overdue=a/b hours=26' --trigger 'event=orders.* resource=shop.1'"
    registration = parse_line(f"{line} {more}").registration
    assert registration.notify == (
        Notification(on="failed", block="slack-webhook/team"),
        Notification(on="late", block="a/b"),
        Notification(on="overdue", block="a/b", hours=26),
    )
    files = """--trigger 'files="/data/new files/*.csv" parameter=path'"""
    assert parse_line(f"tiles {files}").registration.trigger == (
        Trigger(files="/data/new files/*.csv", parameter="path"),
    )
    assert registration.trigger == (Trigger(after="etl/nightly"), Trigger(event="orders.*", resource="shop.1"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--notify often=a/b", "'often=a/b': on: it is missing"),
        ("--notify failed", "'failed': 'failed' is not NAME=VALUE.*For example, --notify"),
        ("--notify failed=https://hooks.example.org/secret", "block: it does not have the required format"),
        ("--notify overdue=a/b", "'overdue=a/b': overdue also needs hours"),
        ("--notify 'late=a/b hours=2'", "only overdue has hours"),
        ("--notify 'overdue=a/b hours=0.1'", "hours: it must be at least 0.25"),
        ("--trigger after=nightly", "after: it does not have the required format"),
        ("--trigger resource=a", "give one of after, event and files"),
        ("--trigger 'after=a/b resource=c'", "resource belongs to event"),
        ("--trigger 'event=a parameter=b'", "parameter belongs to files"),
        ("--trigger files=data/*.csv", "files: it does not have the required format"),
    ],
)
def test_a_notification_or_trigger_that_cannot_be_read(words, message):
    with pytest.raises(InvalidAutomation, match=message):
        parse_line(f"tiles {words}")
