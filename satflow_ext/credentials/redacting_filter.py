"""Redaction of secret values in the log records and state messages of this process.

Each process of a flow run needs it: the flow run's own, the processes of the `processes` executor, and the Dask workers of
`dask-local` (`redaction.guard`).
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from mmap import mmap
from typing import Any
from urllib.parse import quote, quote_plus

MIN_LENGTH = 4
"""Minimum characters of a redacted value. A shorter value also appears in many unrelated texts."""

MIN_LINE_LENGTH = 16
"""Minimum characters of a line that is redacted without the value's other lines: keys often have several lines."""


class Redactor:
    """A callable that replaces each secret value by `[secret NAME]`.

    Args:
        secrets: name → value.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        forms = {form: name for name, value in secrets.items() for form in _encoded_forms(value)}
        # The longest first: a value may begin with another one.
        self._names = {form: forms[form] for form in sorted(forms, key=len, reverse=True)}
        self._pattern = re.compile("|".join(map(re.escape, self._names)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return the text with all values replaced."""
        return self._pattern.sub(lambda found: f"[secret {self._names[found[0]]}]", text)

    def find_secret(self, data: bytes | mmap) -> str | None:
        """Return the name of a secret whose value the data contain as UTF-8, UTF-16 or UTF-32; None if there is none."""
        encoded = {
            form.encode(codec, "surrogateescape" if codec == "utf-8" else "surrogatepass"): name
            for form, name in self._names.items()
            for codec in ("utf-8", "utf-16-le", "utf-32-le")
        }
        found = re.search(b"|".join(map(re.escape, encoded)) or rb"(?!)", data)
        return encoded[found[0]] if found else None


def _encoded_forms(value: str) -> Iterator[str]:
    if len(value) < MIN_LENGTH:
        return
    yield value
    yield from (line for line in value.splitlines() if len(line) >= MIN_LINE_LENGTH)
    yield from (quote(value, safe=""), quote(value), quote_plus(value))
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    data = value.encode("utf-8", "surrogateescape")
    yield data.hex()
    for encoded in _base64_within(data):
        yield encoded
        yield encoded.replace("+", "-").replace("/", "_")


def _base64_within(data: bytes) -> Iterator[str]:
    """Yield the base64 encodings of the data inside a larger text, such as `user:password`.

    The ends, which depend on the adjacent bytes, are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        cut = (before + len(data)) % 3
        inner = encoded[(0, 2, 3)[before] : len(encoded) - (1 if cut else 0)]
        if len(inner) >= 2 * MIN_LENGTH:
            yield inner


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
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):  # invalid arguments, which logging would print
        message = f"{record.msg} {record.args}"
    cleaned = clean(message)
    if cleaned != message:
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
