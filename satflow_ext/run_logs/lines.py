"""Log lines, with the same representation from spool files and from the Prefect API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from sys import intern
from typing import Any, NamedTuple
from uuid import UUID


class RunLogLine(NamedTuple):
    """A log line, which takes a third of the memory of the model that is sent to browsers."""

    id: bytes
    time: datetime
    level: int
    logger: str
    message: str
    task_run_id: UUID | None


def create_line(time: datetime, level: int, logger: str, message: str, task_run_id: UUID | None) -> RunLogLine:
    """Create a line with its id.

    Spool files have no ids, so the id is a digest of the content: a process never logs the same content twice in one
    microsecond, because the spool gives each line of a process a later time than the line before.
    """
    content = f"{round(time.timestamp() * 1e6)} {level} {logger} {task_run_id} {message}"
    digest = blake2b(content.encode(errors="surrogatepass"), digest_size=16).digest()
    return RunLogLine(digest, time, level, intern(logger), message, task_run_id)


def parse_line(text: bytes) -> RunLogLine:
    """Parse a line of a spool file.

    Raises:
        ValueError: the text is not a JSON object with the fields of a log line.
    """
    try:
        return line_from_json(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a log line: {error}") from None


def encode_line(run_id: str, line: RunLogLine) -> bytes:
    """Encode a line in the format of the Prefect API and of spool files."""
    fields = {
        "flow_run_id": run_id,
        "task_run_id": str(line.task_run_id) if line.task_run_id else None,
        "name": line.logger,
        "level": line.level,
        "timestamp": format_timestamp(line.time),
        "message": line.message,
    }
    return json.dumps(fields).encode()


def format_timestamp(time: datetime) -> str:
    """Format a time as the Prefect API does.

    Args:
        time: time in UTC.
    """
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Parse a time in the format of the Prefect API.

    Raises:
        ValueError: the text is not a time.
    """
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def line_from_json(fields: Mapping[str, Any]) -> RunLogLine:
    """Create a line from a JSON object of the Prefect API."""
    time = parse_timestamp(fields["timestamp"])
    task_run_id = UUID(fields["task_run_id"]) if fields["task_run_id"] else None
    return create_line(time, fields["level"], fields["name"], fields["message"], task_run_id)
