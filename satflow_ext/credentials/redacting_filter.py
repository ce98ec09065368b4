"""Keeps the values of secrets out of log lines and state messages of this process.

Each process of a flow run needs it: the flow run's own, the processes of the `processes` executor, and the Dask workers of
`dask-local` (`telling.guard`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from satflow_ext.credentials.redact import SHORTEST, Redactor

NAMES = "SATFLOW_SECRETS"
"""Environment variable with the names of the secrets in this process's environment, separated by commas."""


def give(secrets: Mapping[str, str]) -> None:
    """Put the secrets into the environment of this process and of those that it starts, and guard this one."""
    os.environ.update(secrets)
    if secrets:
        os.environ[NAMES] = ",".join(secrets)
    guard()


def guard() -> None:
    """Guard this process, where its environment has secrets."""
    if declared():
        clean = cleaner()
        _guard_logs(clean)
        _guard_states(clean)


def cleaner() -> Redactor:
    """What takes the values that this process was given out of a text."""
    return Redactor({name: os.environ.get(name, "") for name in declared()})


def declared() -> tuple[str, ...]:
    """Names of the secrets that this process was given."""
    return tuple(filter(None, os.environ.get(NAMES, "").split(",")))


def too_short(secrets: Mapping[str, str]) -> Iterable[str]:
    """Names of the secrets whose values cannot be hidden."""
    return [name for name, value in secrets.items() if len(value) < SHORTEST]


def _guard_logs(clean: Callable[[str], str]) -> None:
    """Clean each record as it is made, whichever handlers it will go to: Prefect's API, the console, the user's own."""
    make = logging.getLogRecordFactory()

    def make_clean(*args: Any, **more: Any) -> logging.LogRecord:
        return _cleaned(make(*args, **more), clean)

    logging.setLogRecordFactory(make_clean)


def _cleaned(record: logging.LogRecord, clean: Callable[[str], str]) -> logging.LogRecord:
    try:
        said = record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit: logging would print them
        said = f"{record.msg} {record.args}"
    cleaned = clean(said)
    if cleaned != said:
        record.msg, record.args = cleaned, ()
    if record.exc_info:
        # Formatters take this text where there is one, and make none of their own.
        record.exc_text = clean(logging.Formatter().formatException(record.exc_info))
    if record.stack_info:
        record.stack_info = clean(record.stack_info)
    return record


def _guard_states(clean: Callable[[str], str]) -> None:
    """Clean the message of every state that is made here, such as the words of an exception in "Failed"."""
    from prefect.client.schemas.objects import State

    make = State.__init__

    @wraps(make)
    def make_clean(self: State[Any], *args: Any, **fields: Any) -> None:
        if isinstance(fields.get("message"), str):
            fields["message"] = clean(fields["message"])
        make(self, *args, **fields)

    State.__init__ = make_clean  # type: ignore[method-assign,assignment]  # pydantic's own spells each field
