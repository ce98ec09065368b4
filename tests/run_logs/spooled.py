"""Log lines of a run, and what is in its spool files."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

from satflow_ext.run_logs.reading import SpoolSnapshot

NOW = datetime(2026, 11, 29, 6, tzinfo=timezone.utc)
RUN = str(uuid4())


def line(message: str, at: datetime = NOW, run: str = RUN) -> dict[str, object]:
    return {
        "flow_run_id": run,
        "task_run_id": None,
        "name": "prefect.flow_runs",
        "level": 20,
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "message": message,
        "__payload_size__": 99,
    }


def messages(root: Path, run: str = RUN) -> list[str]:
    snapshot = SpoolSnapshot(root / run)
    snapshot.read_files()
    return [each.message for each in snapshot.yield_until(None)]
