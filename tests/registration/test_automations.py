"""Notifications and triggers of a deployment: automations of a real Prefect server, which send and start what they promise."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from prefect import flow
from prefect.blocks.notifications import MattermostWebhook
from prefect.blocks.system import Secret
from prefect.client.schemas.filters import FlowRunFilter
from prefect.events.schemas.automations import AutomationCore

from satflow_ext.deployments import automations, file_triggers, notification_blocks, overdue, queries, recovery
from satflow_ext.deployments.journal import Journal
from satflow_ext.errors import DeploymentDrifted, InvalidAutomation, NotificationFailed
from satflow_ext.models import Notification, Registration, Trigger
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import registrar
from tests.eventually import eventually
from tests.flow_runs import start_run
from tests.notification_receiver import make_block, run_receiver, save_block
from tests.prefect_clients import stock_client
from tests.registration.screens import in_prefect, make_work_pool

PATIENCE = 300


@flow
def works(fails: bool = False):
    if fails:
        raise ValueError("broken on purpose")


@flow
def follows():
    return "after"


@pytest.fixture(scope="module")
def receiver():
    with run_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def block(stack, receiver):
    """A block that sends to the receiver."""
    return asyncio.run(make_block(stack.endpoints.prefect, receiver.url))


@pytest.fixture
def listed(stack):
    """Reads a deployment as JupyterLab shows it."""
    return lambda done: asyncio.run(queries.get_deployment(stack.endpoints, done.deployment.id))


def own(stack, done):
    """The automations that Prefect has of a deployment, by the ends of their names."""
    with_name = f"{done.deployment.flow_name}/{done.deployment.name}: "

    async def read(client):
        found = await client.read_automations()
        return {each.name.partition(with_name)[2]: each for each in found if with_name in each.name}

    return in_prefect(stack, read)


def rows(changes):
    return {each.name: (each.before, each.after) for each in changes}


def notify(block, *events):
    return tuple(Notification(on=event, block=block) for event in events)


def test_a_run_that_is_late_fails_or_completes_is_reported_once(stack, registered, ran, receiver, block, name):
    asyncio.run(make_work_pool(stack.endpoints, name))  # without a Prefect worker
    waiting = registered(follows, work_pool=name, notify=notify(block, "late"))
    start_run(stack, waiting.deployment.id)
    done = registered(works, notify=notify(block, "failed", "completed"))
    assert own(stack, done).keys() == {f"notify.failed={block}", f"notify.completed={block}"}
    assert done.deployment.drift == ()
    failed, completed = ran(done, fails=True).run, ran(done).run
    message = eventually(lambda: receiver.find(f"works/{name}: {failed.name} is Failed"), seconds=PATIENCE)
    assert "broken on purpose" in message["body"]
    assert failed.id in message["body"]
    eventually(lambda: receiver.find(f"works/{name}: {completed.name} is Completed"), seconds=PATIENCE)
    late = eventually(lambda: receiver.find(f"follows/{name}: "), seconds=PATIENCE)
    assert late["subject"].endswith(" is Late")
    assert len([each for each in receiver.messages if name in each["subject"]]) == 3
    assert registered(works, notify=notify(block, "failed", "completed")).outcome == "unchanged"


def test_an_automation_that_was_changed_in_prefect_is_drift_and_stays(stack, registered, listed, block):
    events = ("failed", "late", "completed")
    done = registered(works, notify=notify(block, *events))
    labels = {event: f"notify.{event}={block}" for event in events}

    found = own(stack, done)

    async def edit(client):
        await client.pause_automation(found[labels["failed"]].id)
        await client.delete_automation(found[labels["late"]].id)
        third = found[labels["completed"]]
        trigger = third.trigger.model_copy(update={"threshold": 3})
        changed = AutomationCore.model_validate(
            {**third.model_dump(exclude={"id", "owner_resource"}), "trigger": trigger}
        )
        await client.update_automation(third.id, changed)

    in_prefect(stack, edit)
    drift = {
        labels["failed"]: ("on", "off"),
        labels["late"]: ("on", None),
        labels["completed"]: ("on", "changed in Prefect"),
    }
    assert rows(listed(done).drift) == drift
    again = registered(works, notify=notify(block, *events), tags=("more",))
    assert (again.outcome, rows(again.kept)) == ("changed", drift)
    assert {name: each.enabled for name, each in own(stack, done).items()} == {
        labels["failed"]: False,
        labels["completed"]: True,
    }
    with pytest.raises(DeploymentDrifted, match=r"notify\.completed"):
        registered(works, notify=notify(block, "failed", "late"), tags=("more",))


def test_automations_belong_to_versions_and_end_with_the_deployment(stack, registered, listed, block):
    done = registered(works, notify=notify(block, "failed"))
    registered(works, notify=notify(block, "completed"))
    assert own(stack, done).keys() == {f"notify.completed={block}"}
    rolled = asyncio.run(registrar.roll_back(stack.endpoints, stack.settings, done.deployment.id, 1))
    assert rolled.deployment.notify == notify(block, "failed")
    assert own(stack, done).keys() == {f"notify.failed={block}"}
    asyncio.run(queries.delete_deployment(stack.endpoints, stack.settings, done.deployment.id))
    assert own(stack, done) == {}


def test_an_interrupted_registration_gets_its_automations(stack, registered, block):
    done = registered(works, notify=notify(block, "failed"))
    full_name = f"works/{done.deployment.name}"
    journal = Journal(stack.settings)
    entry = journal.read_entry(stack.endpoints, full_name)
    journal.write_entry(entry.model_copy(update={"begun": entry.written}))

    async def lose(client):
        for each in await client.read_automations():
            if full_name in each.name:
                await client.delete_automation(each.id)

    async def recover():
        async with prefect_client(stack.endpoints.prefect) as client:
            return await recovery.recover_deployment(client, full_name, stack.endpoints, stack.settings)

    in_prefect(stack, lose)
    assert asyncio.run(recover()).divergence == "as written"
    assert own(stack, done).keys() == {f"notify.failed={block}"}


def runs_of(stack, done):
    where = FlowRunFilter(deployment_id={"any_": [done.deployment.id]})
    return in_prefect(stack, lambda client: client.read_flow_runs(flow_run_filter=where))


def test_a_run_starts_after_another_deployment_and_after_an_event(stack, registered, ran, name):
    first = registered(works)
    event = f"test.{uuid4().hex}"
    triggers = (Trigger(after=f"works/{name}"), Trigger(event=event, resource="test.*"))
    second = registered(follows, trigger=triggers)
    assert second.deployment.drift == ()
    ran(first)
    eventually(lambda: len(runs_of(stack, second)) == 1, seconds=PATIENCE)

    async def send():
        async with prefect_client(stack.endpoints.prefect) as client:
            resource = {"prefect.resource.id": "test.source"}
            now = datetime.now(timezone.utc).isoformat()
            await client.create_event({"id": str(uuid4()), "event": event, "occurred": now, "resource": resource})

    asyncio.run(send())
    eventually(lambda: len(runs_of(stack, second)) == 2, seconds=PATIENCE)


@flow
def reads(path: str = ""):
    return path


def test_a_file_that_appears_or_is_replaced_starts_a_run_with_its_path(stack, registered, tmp_path):
    old, new = tmp_path / "old.csv", tmp_path / "new file.csv"
    old.write_text("1")
    done = registered(reads, trigger=(Trigger(files=f"{tmp_path}/*.csv", parameter="path"),))
    assert done.deployment.drift == ()
    sent = stack.settings.state_dir / "files.json"
    eventually(lambda: sent.exists() and old.name in sent.read_text(), seconds=PATIENCE)

    def paths():
        return sorted(run.parameters["path"] for run in runs_of(stack, done))

    (tmp_path / "other.txt").write_text("1")
    new.write_text("1")
    eventually(lambda: paths() == [str(new)], seconds=PATIENCE)
    old.write_text("12")
    eventually(lambda: paths() == [str(new), str(old)], seconds=PATIENCE)
    registered(reads)
    assert own(stack, done) == {}
    eventually(lambda: old.name not in sent.read_text(), seconds=PATIENCE)


@pytest.mark.parametrize(
    ("known", "previous", "current", "found"),
    [
        ({}, {}, {"a": (2, 1)}, []),  # it may still be written
        ({}, {"a": (1, 1)}, {"a": (2, 1)}, []),
        ({}, {"b": (2, 1), "a": (3, 1)}, {"a": (3, 1), "b": (2, 1)}, ["b", "a"]),
        ({"a": (2, 1)}, {"a": (2, 1)}, {"a": (2, 1)}, []),
        ({"a": (2, 1)}, {"a": (2, 5)}, {"a": (2, 5)}, ["a"]),
        ({"a": (2, 1)}, {"a": (2, 1)}, {}, []),
    ],
)
def test_files_are_new_once_they_no_longer_change(known, previous, current, found):
    assert list(file_triggers.find_new_files(known, previous, current)) == found


def test_files_of_a_folder_that_was_away_for_a_moment_are_not_new(stack, tmp_path):
    folder, away = tmp_path / "data", tmp_path / "away"
    folder.mkdir()
    (folder / "old.csv").write_text("1")
    settings = stack.settings.model_copy(update={"state_dir": tmp_path})
    triggers = {"satflow.files.test": f"{folder}/*.csv"}
    watcher = file_triggers.FileWatcher(settings)
    assert watcher.list_new_files(triggers) == {}
    (folder / "new.csv").write_text("1")
    assert watcher.list_new_files(triggers) == {}
    (found,) = watcher.list_new_files(triggers).values()
    assert list(found) == [f"{folder}/new.csv"]
    asyncio.run(watcher.send_events({"satflow.files.test": found}, stack.endpoints.prefect))
    watcher.store()
    for each in (watcher, file_triggers.FileWatcher(settings)):  # the second as after a restart
        folder.rename(away)
        assert each.list_new_files(triggers) == {}
        away.rename(folder)
        assert [each.list_new_files(triggers) for _ in range(3)] == [{}, {}, {}]
    assert watcher.list_new_files({}) == {}
    assert [watcher.list_new_files(triggers) for _ in range(2)] == [{}, {}]


def test_the_oldest_files_that_are_gone_are_forgotten():
    known = {"gone": (2, 1), "old": (1, 1), "oldest": (0, 1)}
    assert file_triggers.forget_oldest(known, {"oldest": (0, 1)}, limit=1) == {"gone": (2, 1), "oldest": (0, 1)}
    assert file_triggers.forget_oldest(known, {}, limit=3) == known


def test_only_regular_files_with_printable_names_are_listed(tmp_path):
    for name in ("a.csv", "b.txt", ".hidden.csv", "line\nbreak.csv"):
        (tmp_path / name).write_text("1")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "broken.csv").symlink_to(tmp_path / "nothing")
    assert list(file_triggers.list_files(f"{tmp_path}/*.csv")) == [f"{tmp_path}/a.csv"]
    assert file_triggers.list_files(f"{tmp_path}/absent/*.csv") == {}


def test_a_test_message_arrives_and_a_failure_is_explained(stack, receiver, block, monkeypatch):
    asyncio.run(notification_blocks.send_test(stack.endpoints.prefect, block))
    assert receiver.find("Test by SatFlow")
    assert block in asyncio.run(notification_blocks.list_blocks(stack.endpoints.prefect))
    token = "k" * 26
    closed = MattermostWebhook(hostname="127.0.0.1", port=1, secure=False, token=token)
    refused = asyncio.run(save_block(stack.endpoints.prefect, closed, "mattermost-webhook"))
    with pytest.raises(NotificationFailed, match=f"{refused} could not send the message: .+") as caught:
        asyncio.run(notification_blocks.send_test(stack.endpoints.prefect, refused))
    assert token not in str(caught.value)
    monkeypatch.setattr(notification_blocks, "PATIENCE", 5)
    silent = asyncio.run(make_block(stack.endpoints.prefect, "http://127.0.0.1:1/secret-path"))
    with pytest.raises(NotificationFailed, match="did not report within 5 seconds"):
        asyncio.run(notification_blocks.send_test(stack.endpoints.prefect, silent))
    left = in_prefect(stack, lambda client: client.read_automations())
    assert [each.name for each in left if "test of" in each.name] == []


HOUR = timedelta(hours=1)


@pytest.fixture
def report(stack):
    """Checks for overdue deployments at a time, as the local stack does; the names of those that were reported."""
    return lambda now: asyncio.run(overdue.report_overdue(stack.endpoints.prefect, stack.settings, now))


def set_paused(stack, done, paused):
    asyncio.run(queries.set_paused(stack.endpoints, stack.settings, done.deployment.id, paused))


def test_a_deployment_without_a_completed_run_is_reported_once(stack, registered, ran, receiver, block, report):
    chosen = (Notification(on="overdue", block=block, hours=24),)
    done = registered(works, notify=chosen)
    name, now = done.deployment.name, datetime.now(timezone.utc)
    assert own(stack, done).keys() == {f"notify.overdue={block} hours=24"}
    assert (done.deployment.drift, registered(works, notify=chosen).outcome) == ((), "unchanged")

    assert name not in report(now)
    assert name not in report(now + 23 * HOUR)
    assert name in report(now + 25 * HOUR)
    message = eventually(lambda: receiver.find(f"works/{name} has not completed a run for 24 hours"), seconds=PATIENCE)
    assert "Last completed run: none" in message["body"]
    assert name not in report(now + 26 * HOUR)

    ran(done, fails=True)
    assert name not in report(now + 27 * HOUR)
    ran(done)  # its end begins a new time
    assert name in report(now + 28 * HOUR)
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    eventually(lambda: receiver.find(f"Last completed run: {today}"), seconds=PATIENCE)

    set_paused(stack, done, True)
    assert name not in report(now + 100 * HOUR)
    set_paused(stack, done, False)
    assert name not in report(now + 101 * HOUR)
    assert name in report(now + 125 * HOUR)

    async def switch_off(client):
        found = await client.read_automations()
        await client.pause_automation(next(each.id for each in found if f"works/{name}: " in each.name))

    in_prefect(stack, switch_off)
    ran(done)
    assert name not in report(now + 1000 * HOUR)
    assert len([each for each in receiver.messages if f"{name} has not" in each["subject"]]) == 3


START = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("record", "completed", "in_progress", "reported"),
    [
        ({}, None, None, 0),
        ({}, 5, None, None),
        ({}, -50, None, 0),  # before the first check
        ({"reported": 0}, None, None, None),
        ({"reported": 0}, 1, None, 1),
        ({}, None, 20, None),
        ({}, None, 1, 0),  # longer than the hours
    ],
)
def test_a_time_without_a_completed_run(record, completed, in_progress, reported):
    def at(hour):
        return None if hour is None else START + hour * HOUR

    kept = overdue.WatchRecord(since=START, reported=at(record.get("reported")))
    runs = overdue.RunTimes(at(completed), at(in_progress))
    assert overdue.find_overdue_since(kept, runs, 10, at(12)) == at(reported)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("POST 'https://hooks.test/T0/key' failed", "POST 'https://hooks.test/…' failed"),
        ("https://user:key@hooks.test:8443?token=key", "https://hooks.test:8443/…"),
        ("slack://key/other is unreachable", "slack://… is unreachable"),
    ],
)
def test_messages_of_the_server_are_shown_without_credentials(text, shown):
    assert notification_blocks.hide_addresses(text) == shown


async def _save_secret(api, name):
    async with stock_client(api) as client:
        await Secret(value="x").save(name, client=client)


@pytest.mark.parametrize(
    ("choices", "words", "field"),
    [
        (
            {"notify": notify("slack-webhook/nobody", "failed")},
            "Prefect has no block slack-webhook/nobody",
            "notify.0.block",
        ),
        ({"notify": notify("secret/quiet", "failed")}, "secret/quiet cannot send notifications", "notify.0.block"),
        ({"notify": notify("a/b", "failed", "late", "failed")}, "failed=a/b is given twice", "notify.2"),
        (
            {"notify": (Notification(on="overdue", block="slack-webhook/nobody", hours=1),)},
            "Prefect has no block",
            "notify.0.block",
        ),
        ({"trigger": (Trigger(after="works/nobody"),)}, "Prefect has no deployment works/nobody", "trigger.0.after"),
        ({"trigger": (Trigger(event="prefect.flow-run.Running"),)}, "without end", "trigger.0.event"),
        ({"trigger": (Trigger(files="/data/*", parameter="path"),)}, "has no parameter path", "trigger.0.parameter"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(stack, registered, choices, words, field):
    with contextlib.suppress(ValueError):  # it exists
        asyncio.run(_save_secret(stack.endpoints.prefect, "quiet"))
    with pytest.raises(InvalidAutomation, match=words) as caught:
        registered(works, **choices)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"notify": (Notification(on="overdue", block="a/b", hours=1),)}, "notify.0.on"),
        ({"trigger": (Trigger(event="a"), Trigger(files="/data/*"))}, "trigger.1.files"),
    ],
)
def test_what_the_local_stack_observes_is_refused_elsewhere(choices, field):
    automations.check_automations(Registration(**choices), local=True)
    with pytest.raises(InvalidAutomation, match="on another Prefect server") as caught:
        automations.check_automations(Registration(**choices), local=False)
    assert caught.value.field == field


def test_a_deployment_does_not_start_after_itself(registered, name):
    with pytest.raises(InvalidAutomation, match="would start again after each of its runs"):
        registered(works, trigger=(Trigger(after=f"works/{name}"),))


@pytest.mark.parametrize(
    "fields", [{}, {"after": "a/b", "event": "c"}, {"after": "a/b", "resource": "c"}, {"after": "a"}, {"files": "a"}]
)
def test_a_trigger_has_one_event(fields):
    with pytest.raises(ValueError, match=r"give one of after|belongs to event|String should match"):
        Registration.model_validate({"trigger": [fields]})
