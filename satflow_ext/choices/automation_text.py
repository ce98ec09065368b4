"""Notifications and triggers as users write them: the text of `--notify` and `--trigger`, or a dictionary in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError

from satflow_ext.choices.schedule_text import split_parts
from satflow_ext.errors import InvalidAutomation
from satflow_ext.models import Notification, NotificationEvent, Trigger
from satflow_ext.validation_errors import convert_first_error

EVENTS: tuple[str, ...] = get_args(NotificationEvent)
NOTIFICATION_EXAMPLE = (
    "For example, --notify failed=slack-webhook/team, or --notify 'overdue=slack-webhook/team hours=26'."
)
TRIGGER_EXAMPLE = (
    "For example, --trigger after=etl/nightly, --trigger event=orders.received, or --trigger files=/data/*.csv."
)

Choice = TypeVar("Choice", bound=BaseModel)


def parse_notifications(written: Iterable[object]) -> tuple[Notification, ...]:
    """Return the notifications that a user wrote, each as a text or a dictionary.

    Raises:
        InvalidAutomation: one of them cannot be read; the message names it.
    """
    return _parse_each(Notification, written, "notify", NOTIFICATION_EXAMPLE)


def parse_triggers(written: Iterable[object]) -> tuple[Trigger, ...]:
    """Return the triggers that a user wrote, each as a text or a dictionary.

    Raises:
        InvalidAutomation: one of them cannot be read; the message names it.
    """
    return _parse_each(Trigger, written, "trigger", TRIGGER_EXAMPLE)


def _parse_each(model: type[Choice], written: Iterable[object], field: str, example: str) -> tuple[Choice, ...]:
    several = [written] if isinstance(written, str | Mapping) else written
    return tuple(_parse_one(model, each, f"{field}.{position}", example) for position, each in enumerate(several))


def _parse_one(model: type[Choice], written: object, field: str, example: str) -> Choice:
    try:
        if not isinstance(written, str):
            return model.model_validate(written)
        parts = split_parts(written)
        events = [name for name in parts if name in EVENTS] if model is Notification else []
        if len(events) == 1:  # EVENT=BLOCK
            parts = {"on": events[0], "block": parts.pop(events[0]), **parts}
        return model.model_validate(parts)
    except ValidationError as error:
        mistake = convert_first_error(error)
        raise InvalidAutomation(f"{written!r}: {mistake.message}", fix=example, field=field) from None
    except ValueError as error:
        raise InvalidAutomation(f"{written!r}: {error}.", fix=example, field=field) from None
