"""Lines of a log book."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

from satflow_ext.models import LogLine
from satflow_ext.run_logs.lines import RunLogLine

NOW = datetime(2026, 11, 21, 6, tzinfo=timezone.utc)


def line(number: int) -> RunLogLine:
    return RunLogLine(uuid4().bytes, NOW + timedelta(seconds=number), 20, "flow", f"line {number}", None)


def text(lines: list[LogLine] | tuple[LogLine, ...]) -> list[str]:
    return [line.message for line in lines]
