"""Redaction of secret values in the log records and state messages of this process.

Each process of a flow run needs it: the flow run's own, the processes of the `processes` executor, and the Dask workers of
`dask-local` (`redaction.guard`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from satflow_ext.credentials.redact import MIN_LENGTH, Redactor

NAMES_VARIABLE = "SATFLOW_SECRETS"
"""Environment variable with the names of the secrets in this process's environment, separated by commas."""


def provide_secrets(secrets: Mapping[str, str]) -> None:
    """Put the secrets into the environment of this process and its future child processes, and enable redaction here."""
    os.environ.update(secrets)
    if secrets:
        os.environ[NAMES_VARIABLE] = ",".join(secrets)
    enable_redaction()


def enable_redaction() -> None:
    """Enable redaction in this process if its environment contains secrets."""
    if declared_names():
        clean = make_redactor()
        _redact_logs(clean)
        _redact_states(clean)


def make_redactor() -> Redactor:
    """Return the redactor for the secrets of this process."""
    return Redactor({name: os.environ.get(name, "") for name in declared_names()})


def declared_names() -> tuple[str, ...]:
    """Return the names of the secrets in this process's environment."""
    return tuple(filter(None, os.environ.get(NAMES_VARIABLE, "").split(",")))


def too_short_names(secrets: Mapping[str, str]) -> Iterable[str]:
    """Return the names of the secrets whose values are too short to be redacted."""
    return [name for name, value in secrets.items() if len(value) < MIN_LENGTH]


def _redact_logs(clean: Callable[[str], str]) -> None:
    """Redact each log record on creation, for all handlers: Prefect's API, the console, the user's own."""
    make = logging.getLogRecordFactory()

    def make_clean(*args: Any, **more: Any) -> logging.LogRecord:
        return _redact_record(make(*args, **more), clean)

    logging.setLogRecordFactory(make_clean)


def _redact_record(record: logging.LogRecord, clean: Callable[[str], str]) -> logging.LogRecord:
    try:
        said = record.getMessage()
    except (TypeError, ValueError, KeyError):  # invalid arguments, which logging would print
        said = f"{record.msg} {record.args}"
    cleaned = clean(said)
    if cleaned != said:
        record.msg, record.args = cleaned, ()
    if record.exc_info:
        # Formatters use this text if it exists, instead of formatting the exception themselves.
        record.exc_text = clean(logging.Formatter().formatException(record.exc_info))
    if record.stack_info:
        record.stack_info = clean(record.stack_info)
    return record


def _redact_states(clean: Callable[[str], str]) -> None:
    """Redact the message of every state that this process creates, such as the text of an exception in "Failed"."""
    from prefect.client.schemas.objects import State

    make = State.__init__

    @wraps(make)
    def make_clean(self: State[Any], *args: Any, **fields: Any) -> None:
        if isinstance(fields.get("message"), str):
            fields["message"] = clean(fields["message"])
        make(self, *args, **fields)

    State.__init__ = make_clean  # type: ignore[method-assign,assignment]  # pydantic's own spells each field
