"""Rows for a Prefect database as large as that of a team after some years, copied from those of one real run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

Row = dict[str, Any]

INTERVAL = timedelta(minutes=5)
"""Time between two of the copied flow runs."""


def enlarge(database: Path, *, deployments: int, runs: int, task_runs: int) -> None:
    """Copy the newest flow run with its deployment and one of its task runs.

    Args:
        database: a SQLite database of Prefect, which may be in use.
        deployments: number of new deployments.
        runs: number of new flow runs, which are spread over the new deployments and end before the copied one.
        task_runs: number of new task runs of the copied flow run.
    """
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        connection.row_factory = sqlite3.Row
        run = _read_one(connection, "SELECT * FROM flow_run ORDER BY start_time DESC LIMIT 1")
        deployment = _read_one(connection, "SELECT * FROM deployment WHERE id = ?", run["deployment_id"])
        task_run = _read_one(connection, "SELECT * FROM task_run WHERE flow_run_id = ? LIMIT 1", run["id"])
        ids = [str(uuid4()) for _ in range(deployments)]
        copies = (deployment | {"id": each, "name": f"deployment-{n:04}"} for n, each in enumerate(ids))
        with connection:
            _insert(connection, "deployment", copies)
            _copy_runs(connection, "flow_run", run, _vary_runs(run, ids, runs))
            _copy_runs(connection, "task_run", task_run, _vary_task_runs(task_run, task_runs))


def _vary_runs(run: Row, deployment_ids: list[str], count: int) -> Iterator[Row]:
    labels = json.loads(run["labels"] or "{}")
    for number in range(1, count + 1):
        deployment_id = deployment_ids[number % len(deployment_ids)]
        times = {
            name: str(datetime.fromisoformat(run[name]) - number * INTERVAL)
            for name in ("expected_start_time", "start_time", "end_time", "state_timestamp")
        }
        yield {
            **times,
            "name": f"copied-run-{number:06}",
            "deployment_id": deployment_id,
            "idempotency_key": str(uuid4()),
            "labels": json.dumps(labels | {"prefect.deployment.id": deployment_id}),
        }


def _vary_task_runs(task_run: Row, count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield {"name": f"{task_run['name']}-{number}", "dynamic_key": f"copy-{number}"}


def _copy_runs(connection: sqlite3.Connection, table: str, original: Row, changes: Iterator[Row]) -> None:
    """Insert copies of a run, each with a copy of its last state."""
    state = _read_one(connection, f"SELECT * FROM {table}_state WHERE id = ?", original["state_id"])
    states: list[Row] = []
    rows: list[Row] = []
    for change in changes:
        row = original | {"id": str(uuid4()), "state_id": str(uuid4())} | change
        rows.append(row)
        states.append(state | {"id": row["state_id"], f"{table}_id": row["id"], "timestamp": row["state_timestamp"]})
    connection.execute("PRAGMA defer_foreign_keys = ON")
    _insert(connection, table, rows)
    _insert(connection, f"{table}_state", states)


def _read_one(connection: sqlite3.Connection, query: str, *values: str) -> Row:
    return dict(connection.execute(query, values).fetchone())


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Row] | list[Row]) -> None:
    found: Iterator[Mapping[str, Any]] = iter(rows)
    first = next(found)
    names = ", ".join(first)
    values = ", ".join(f":{name}" for name in first)
    insert = f"INSERT INTO {table} ({names}) VALUES ({values})"
    connection.execute(insert, first)
    connection.executemany(insert, found)
