"""The Prefect automations of a deployment: its notifications and triggers, which belong to its versions as all other choices do.

Prefect has a row for each automation, next to the row of the deployment. Ours are found by their tags: the id of the deployment,
the choice, and a digest of what was written, which shows whether any client has changed the automation since
(docs/decisions/0041).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from satflow_ext.deployments.notification_blocks import find_block
from satflow_ext.errors import InvalidAutomation
from satflow_ext.models import JsonObject, Notification, Registration, Trigger
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_names import read_deployment
from satflow_ext.prefect_rows import AutomationRow, DeploymentRow

OWN_TAG = "satflow"
DEPLOYMENT_TAG = "satflow-deployment:"
LABEL_TAG = "satflow-choice:"
DIGEST_TAG = "satflow-digest:"
PAGE_SIZE = 200
ON, CHANGED, OFF = "on", "changed in Prefect", "off"
"""Values of an automation in differences."""

RUN_EVENTS: Mapping[str, tuple[str, ...]] = {
    "failed": ("prefect.flow-run.Crashed", "prefect.flow-run.Failed", "prefect.flow-run.TimedOut"),
    "late": ("prefect.flow-run.Late",),
    "completed": ("prefect.flow-run.Completed",),
}
"""Prefect's events of a run: one for each name of a state."""
SUBJECT = "{{ flow.name }}/{{ deployment.name }}: {{ flow_run.name }} is {{ flow_run.state.name }}"
BODY = "{{ flow_run.state.message or '' }}\nFlow run: {{ flow_run.id }}"

OVERDUE_EVENT = "satflow.deployment.overdue"
"""Event of the local stack: no run of the deployment has completed in time (`overdue.py`)."""
HOURS_LABEL = "satflow.hours"
"""Label of the deployment in that event: the time in hours."""
FILE_EVENT = "satflow.file.appeared"
"""Event of the local stack: a file of a trigger appeared or was replaced (`file_triggers.py`)."""
PATH_LABEL = "satflow.path"
"""Label of the resource of that event: the path of the file."""
OVERDUE_SUBJECT = "{{{{ flow.name }}}}/{{{{ deployment.name }}}} has not completed a run for {hours} hours"
OVERDUE_BODY = "Last completed run: {{ event.payload['last_completed'] or 'none' }}"

REACTIVE: JsonObject = {"type": "event", "posture": "Reactive", "threshold": 1, "within": 0}
LOOPS = frozenset({"Scheduled", "Pending", "Running", "*"})
"""Names of states through which a started run itself passes."""
COMPARED_TRIGGER = ("type", "posture", "threshold", "within", "match", "match_related", "for_each", "expect")
COMPARED_ACTION = ("type", "block_document_id", "subject", "body", "source", "deployment_id", "parameters")


def check_automations(chosen: Registration, *, local: bool) -> None:
    """Check the notifications and triggers of a registration without I/O.

    Args:
        chosen: the choices.
        local: whether the deployment is on the local stack.

    Raises:
        InvalidAutomation: one of them is given twice, needs the local stack, or would start runs without end.
    """
    _check_repetitions(chosen.notify, "notify")
    _check_repetitions(chosen.trigger, "trigger")
    if not local:
        _check_local_choices(chosen)
    for position, trigger in enumerate(chosen.trigger):
        kind, _, state = (trigger.event or "").rpartition(".")
        if (kind == "prefect.flow-run" and state in LOOPS) or trigger.event == "*":
            raise InvalidAutomation(
                f"The event {trigger.event} also occurs for the runs that it would start, without end.",
                fix="Choose the state in which a run ends, such as prefect.flow-run.Completed.",
                field=f"trigger.{position}.event",
            )


def _check_repetitions(several: tuple[Notification | Trigger, ...], field: str) -> None:
    for position, each in enumerate(several):
        if each in several[:position]:
            problem = f"{each.label} is given twice."
            raise InvalidAutomation(problem, fix="Keep one of them.", field=f"{field}.{position}")


def _check_local_choices(chosen: Registration) -> None:
    """Refuse the choices that a process of the local stack observes."""
    overdue = [f"notify.{position}.on" for position, each in enumerate(chosen.notify) if each.on == "overdue"]
    files = [f"trigger.{position}.files" for position, each in enumerate(chosen.trigger) if each.files is not None]
    for field in (*overdue, *files):
        raise InvalidAutomation(
            f"{'Overdue deployments are' if field in overdue else 'New files are'} only noticed by the local stack, "
            "and this deployment is on another Prefect server.",
            fix="Choose another event.",
            field=field,
        )


def list_values(chosen: Registration) -> dict[str, str]:
    """Return the notifications and triggers of a registration by their names in differences."""
    return dict.fromkeys(chosen.automation_labels, ON)


def list_live_values(row: DeploymentRow) -> dict[str, str]:
    """Return the live automations of a deployment by their names in differences."""
    return {_read_tag(each, LABEL_TAG): _live_value(each) for each in row.automations or ()}


def _live_value(automation: AutomationRow) -> str:
    if _read_tag(automation, DIGEST_TAG) != _digest(automation.model_dump(mode="json")):
        return CHANGED
    return ON if automation.enabled else OFF


async def attach_automations(client: PrefectClient, rows: Iterable[DeploymentRow]) -> list[DeploymentRow]:
    """Return rows of deployments with their automations."""
    found = list(rows)
    if not found:
        return found
    by_id: dict[str, list[AutomationRow]] = {}
    for each in await read_own_automations(client):
        by_id.setdefault(_read_tag(each, DEPLOYMENT_TAG), []).append(each)
    return [row.model_copy(update={"automations": by_id.get(str(row.id), [])}) for row in found]


async def read_with_automations(client: PrefectClient, full_name: str) -> DeploymentRow | None:
    """Read the deployment `flow/deployment` with its automations, None if Prefect has none."""
    row = await read_deployment(client, full_name)
    return (await attach_automations(client, [row]))[0] if row else None


async def read_own_automations(client: PrefectClient) -> list[AutomationRow]:
    """Read the automations of all deployments that SatFlow has created."""
    found: list[AutomationRow] = []
    offset = 0
    while True:
        page = await client.read_automations(limit=PAGE_SIZE, offset=offset)
        found += [each for each in page if OWN_TAG in each.tags]
        offset += len(page)
        if len(page) < PAGE_SIZE:
            return found


async def plan_automations(
    client: PrefectClient, chosen: Registration, full_name: str, deployment_id: UUID | None
) -> dict[str, JsonObject]:
    """Return the automations of a registration by their names in differences.

    Args:
        client: an open Prefect client.
        chosen: the choices.
        full_name: `flow/deployment`.
        deployment_id: its id, None for a deployment that does not exist yet.

    Raises:
        InvalidAutomation: Prefect has no such block or deployment, or the block cannot send notifications.
    """
    own_id = str(deployment_id)
    planned: dict[str, JsonObject] = {}
    for position, notification in enumerate(chosen.notify):
        block_id = await find_block(client, notification.block, f"notify.{position}.block")
        action: JsonObject = {
            "type": "send-notification",
            "block_document_id": str(block_id),
            **_message(notification),
        }
        trigger = _notification_trigger(notification, own_id)
        planned[notification.label] = _build(notification, full_name, own_id, trigger, action)
    for position, each in enumerate(chosen.trigger):
        start: JsonObject = {
            "type": "run-deployment",
            "source": "selected",
            "deployment_id": own_id,
            "parameters": _file_parameter(each),
        }
        trigger = await _find_event(client, each, full_name, f"trigger.{position}.after")
        planned[each.label] = _build(each, full_name, own_id, trigger, start)
    return planned


async def _find_event(client: PrefectClient, trigger: Trigger, full_name: str, field: str) -> JsonObject:
    """Return the trigger of an automation."""
    if trigger.files is not None:
        match: JsonObject = {"prefect.resource.id": file_resource(full_name, trigger)}
        return {**REACTIVE, "match": match, "match_related": {}, "for_each": [], "expect": [FILE_EVENT]}
    if trigger.after is None:
        resource: JsonObject = {"prefect.resource.id": trigger.resource} if trigger.resource else {}
        return {**REACTIVE, "match": resource, "match_related": {}, "for_each": [], "expect": [trigger.event]}
    if trigger.after == full_name:
        raise InvalidAutomation(
            f"{full_name} would start again after each of its runs.", fix="Choose another deployment.", field=field
        )
    other = await read_deployment(client, trigger.after)
    if other is None:
        fix = "Name it as flow/deployment, and register it first."
        raise InvalidAutomation(f"Prefect has no deployment {trigger.after}.", fix=fix, field=field)
    return _run_trigger(str(other.id), RUN_EVENTS["completed"])


def _message(notification: Notification) -> JsonObject:
    if notification.hours is None:
        return {"subject": SUBJECT, "body": BODY}
    return {"subject": OVERDUE_SUBJECT.format(hours=format_hours(notification.hours)), "body": OVERDUE_BODY}


def _notification_trigger(notification: Notification, deployment_id: str) -> JsonObject:
    if notification.on != "overdue":
        return _run_trigger(deployment_id, RUN_EVENTS[notification.on])
    match: JsonObject = {"prefect.resource.id": f"prefect.deployment.{deployment_id}"}
    match[HOURS_LABEL] = format_hours(notification.hours or 0)
    return {**REACTIVE, "match": match, "match_related": {}, "for_each": [], "expect": [OVERDUE_EVENT]}


def format_hours(hours: float) -> str:
    """Format a number of hours, the same for equal numbers."""
    return f"{hours:g}"


@dataclass(frozen=True)
class OverdueWatch:
    """A deployment and the time in which a run of it has to complete, in hours."""

    deployment_id: UUID
    hours: float


def find_overdue_watches(own: Iterable[AutomationRow]) -> set[OverdueWatch]:
    """Return what the notifications `overdue` of all deployments wait for, without those that were switched off in Prefect.

    Args:
        own: the automations of all deployments.
    """
    found = set()
    for each in own:
        match = each.trigger.get("match")
        if each.enabled and each.trigger.get("expect") == [OVERDUE_EVENT] and isinstance(match, dict):
            with suppress(ValueError):  # a client has changed it in Prefect
                deployment_id = UUID(_read_tag(each, DEPLOYMENT_TAG))
                found.add(OverdueWatch(deployment_id, float(str(match.get(HOURS_LABEL)))))
    return found


def file_resource(full_name: str, trigger: Trigger) -> str:
    """Return the id of the resource of the events about new files, which is another one for each trigger of a deployment."""
    chosen = json.dumps([full_name, trigger.files, trigger.parameter])
    return f"satflow.files.{hashlib.sha256(chosen.encode()).hexdigest()[:32]}"


def _file_parameter(trigger: Trigger) -> JsonObject | None:
    """Return the parameters of the runs that a trigger starts: the path of a file, which Prefect takes from the event."""
    if trigger.parameter is None:
        return None
    return {trigger.parameter: {"__prefect_kind": "jinja", "template": f"{{{{ event.resource['{PATH_LABEL}'] }}}}"}}


def _run_trigger(deployment_id: str, events: Iterable[str]) -> JsonObject:
    """Return a trigger that fires for each run of a deployment."""
    return {
        **REACTIVE,
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "match_related": {
            "prefect.resource.id": f"prefect.deployment.{deployment_id}",
            "prefect.resource.role": "deployment",
        },
        "for_each": ["prefect.resource.id"],
        "expect": [*events],
    }


def _build(
    choice: Notification | Trigger, full_name: str, deployment_id: str, trigger: JsonObject, action: JsonObject
) -> JsonObject:
    """Return the fields of an automation, with our tags."""
    label = choice.label
    fields: JsonObject = {
        "name": f"SatFlow: {full_name}: {label}",
        "description": "Registered with the deployment. Change it there: register the flow again.",
        "enabled": True,
        "trigger": trigger,
        "actions": [action],
    }
    tags = (f"{DEPLOYMENT_TAG}{deployment_id}", f"{LABEL_TAG}{label}", f"{DIGEST_TAG}{_digest(fields)}")
    return {**fields, "tags": [OWN_TAG, *tags]}


async def write_automations(
    client: PrefectClient, chosen: Registration, full_name: str, row: DeploymentRow, kept: Collection[str]
) -> DeploymentRow:
    """Create, replace and remove automations of a deployment until it has the chosen ones; return its row with them.

    Each request can be repeated, so that the next registration, or recovery, completes an interrupted one.

    Args:
        client: an open Prefect client.
        chosen: the choices.
        full_name: `flow/deployment`.
        row: the deployment with its live automations.
        kept: names of choices whose automations stay as they are.

    Raises:
        InvalidAutomation: a block or a deployment no longer exists.
    """
    live = {_read_tag(each, LABEL_TAG): each for each in row.automations or ()}
    planned = await plan_automations(client, chosen, full_name, row.id)
    changes = 0
    for label, fields in planned.items():
        found = live.pop(label, None)
        if label in kept or (found is not None and found.enabled and _is_same(found, fields)):
            continue
        changes += 1
        if found is None:
            await client.create_automation({**fields, "owner_resource": f"prefect.deployment.{row.id}"})
        else:
            await client.update_automation(found.id, fields)
    for label, each in live.items():
        if label not in kept:
            changes += 1
            await client.delete_automation(each.id)
    return (await attach_automations(client, [row]))[0] if changes else row


async def remove_automations(client: PrefectClient, row: DeploymentRow) -> None:
    """Remove the automations of a deployment, before it is deleted."""
    for each in row.automations or ():
        await client.delete_automation(each.id)


def _read_tag(automation: AutomationRow, prefix: str) -> str:
    return next((tag.removeprefix(prefix) for tag in automation.tags if tag.startswith(prefix)), "")


def _is_same(found: AutomationRow, fields: JsonObject) -> bool:
    return _digest(found.model_dump(mode="json")) == _digest(fields)


def _digest(fields: Mapping[str, Any]) -> str:
    """Return a digest of the fields that we choose; it is the same for what was sent and for what Prefect returns."""
    chosen = {
        "name": fields["name"],
        "trigger": {name: _plain(fields["trigger"].get(name)) for name in COMPARED_TRIGGER},
        "actions": [{name: _plain(action.get(name)) for name in COMPARED_ACTION} for action in fields["actions"]],
    }
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Return a value without the differences between what is sent and what Prefect returns."""
    if isinstance(value, list | tuple):
        return sorted(map(str, value))
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()} or None
    return float(value) if isinstance(value, int | float) else value
