"""Hints that flow runs wait for a Prefect worker: the server's events, so that the worker need not poll often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter

if TYPE_CHECKING:
    from prefect.events import Event

PREFIX = "prefect.flow-run."
"""Beginning of the names of events about states of flow runs."""

RECONNECT_PAUSE = 5.0
"""Seconds until the next attempt to connect."""

log = logging.getLogger(__name__)


async def listen_for_scheduled_runs(on_scheduled: Callable[[], object]) -> None:
    """Call `on_scheduled` for each flow run that becomes Scheduled, in any work pool, and when it begins to listen.

    Runs until cancelled. Events may be lost, and some servers do not send any: the caller must poll as well.

    Args:
        on_scheduled: called in the event loop; must be quick.
    """
    states = EventFilter(event=EventNameFilter(prefix=[PREFIX]))
    while True:
        try:
            async with get_events_subscriber(filter=states, reconnection_attempts=0) as events:
                on_scheduled()
                async for event in events:
                    if is_scheduled(event):
                        on_scheduled()
        except Exception as error:  # Prefect raises plain exceptions for a failed authentication
            log.debug("No events of flow runs: %s", error)
        await asyncio.sleep(RECONNECT_PAUSE)


def is_scheduled(event: Event) -> bool:
    """Return whether the event reports that a flow run waits for a Prefect worker."""
    state = event.payload.get("validated_state")
    return isinstance(state, dict) and state.get("type") == "SCHEDULED"
