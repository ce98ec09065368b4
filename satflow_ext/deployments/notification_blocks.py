"""The Prefect blocks that send notifications: list and find them, and send a test message through one as a run's failure would.

Prefect has no request that sends a notification. An automation does, in the server's own process and with its network, so a test
creates one, triggers it, reads what happened from the events of its action, and removes it.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timezone
from uuid import UUID, uuid4

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import InvalidAutomation, NotificationFailed
from satflow_ext.models import JsonObject
from satflow_ext.prefect_api import PrefectClient, prefect_client, replace_not_found
from satflow_ext.prefect_rows import EventRow

TEST_EVENT = "satflow.notification.test"
EXECUTED, FAILED = "prefect.automation.action.executed", "prefect.automation.action.failed"
PATIENCE = 60.0
"""Seconds to wait for the server's answer."""
PAUSE = 0.5
WEB_ADDRESS = re.compile(r"\b(https?://)(?:[^\s/@'\"]*@)?([^\s/?#@'\"]+)[^\s'\"]*")
OTHER_ADDRESS = re.compile(r"\b(?!https?:)([a-z][a-z0-9+.-]*://)[^\s'\"]+")
"""Addresses in a server's message. The path of a webhook is its credential; in `slack://` and the like, all of it is."""


async def list_blocks(api: PrefectApi) -> tuple[str, ...]:
    """Return the blocks that can send notifications, as `type/name`.

    Raises:
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(api) as client:
        blocks = await client.read_notification_blocks()
    return tuple(sorted(f"{block.block_type.slug}/{block.name}" for block in blocks if block.name))


async def find_block(client: PrefectClient, name: str, field: str) -> UUID:
    """Return the id of a block that sends notifications.

    Args:
        client: an open Prefect client.
        name: the block, as `type/name`.
        field: the field of the request, for errors.

    Raises:
        InvalidAutomation: Prefect has no such block, or it cannot send notifications.
    """
    type_name, _, block_name = name.partition("/")
    fix = "Create it in Prefect, or choose another one (docs/notifications.md)."
    with replace_not_found(InvalidAutomation(f"Prefect has no block {name}.", fix=fix, field=field)):
        block = await client.read_block(type_name, block_name)
    if "notify" not in block.block_schema.capabilities:
        raise InvalidAutomation(f"The block {name} cannot send notifications.", fix=fix, field=field)
    return block.id


async def send_test(api: PrefectApi, block: str) -> None:
    """Send a test message through a block, and wait until Prefect has sent it.

    Raises:
        InvalidAutomation: Prefect has no such block, or it cannot send notifications.
        NotificationFailed: Prefect could not send the message, or did not answer in time.
    """
    async with prefect_client(api) as client:
        block_id = await find_block(client, block, "block")
        resource = f"satflow.notification-test.{uuid4().hex}"
        automation = await client.create_automation(_test_automation(block, block_id, resource))
        try:
            await client.create_event(_test_event(resource))
            result = await _wait_for_action(client, automation.id, block)
        finally:
            await client.delete_automation(automation.id)
    if result.event == FAILED:
        raise _failed_error(block, result)


def _test_automation(block: str, block_id: UUID, resource: str) -> JsonObject:
    return {
        "name": f"SatFlow: test of {block}",
        "enabled": True,
        "trigger": {
            "type": "event",
            "posture": "Reactive",
            "threshold": 1,
            "within": 0,
            "match": {"prefect.resource.id": resource},
            "expect": [TEST_EVENT],
        },
        "actions": [
            {
                "type": "send-notification",
                "block_document_id": str(block_id),
                "subject": "Test by SatFlow",
                "body": "Notifications of deployments arrive here.",
            }
        ],
    }


def _test_event(resource: str) -> JsonObject:
    return {
        "id": str(uuid4()),
        "event": TEST_EVENT,
        "occurred": datetime.now(timezone.utc).isoformat(),
        "resource": {"prefect.resource.id": resource},
    }


async def _wait_for_action(client: PrefectClient, automation_id: UUID, block: str) -> EventRow:
    chosen: JsonObject = {
        "event": {"name": [EXECUTED, FAILED]},
        "resource": {"id": [f"prefect.automation.{automation_id}"]},
    }
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < deadline:
        if found := await client.read_events(chosen, limit=1):
            return found[0]
        await asyncio.sleep(PAUSE)
    # Prefect reports a failure only if the block itself does; other exceptions are in the log of its server.
    raise NotificationFailed(
        f"Prefect did not report within {PATIENCE:g} seconds that it sent a message through {block}.",
        fix="The service may be unreachable: check the block, and the log of the Prefect server. An ephemeral server sends none.",
    )


def _failed_error(block: str, result: EventRow) -> NotificationFailed:
    details = " ".join(str(result.payload[name]) for name in ("reason", "notification_log") if result.payload.get(name))
    reason = hide_addresses(" ".join(details.split()))
    return NotificationFailed(f"{block} could not send the message: {reason}", fix="Check the block in Prefect.")


def hide_addresses(text: str) -> str:
    """Return text with only the hosts of web addresses, and only the schemes of others."""
    return OTHER_ADDRESS.sub(r"\1…", WEB_ADDRESS.sub(r"\1\2/…", text))
