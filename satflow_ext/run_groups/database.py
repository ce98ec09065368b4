"""The database of run groups: an SQLite file in the state folder, with the groups and points of all Prefect APIs.

Prefect has the runs; the database has what Prefect cannot have: the points that were not submitted yet, and the run of each
point. All methods block for a few milliseconds and open a connection of their own, so that they can be called in any thread.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO
from uuid import uuid4

from satflow_ext import file_lock
from satflow_ext.endpoints import PrefectApi, hide_credentials
from satflow_ext.errors import RunGroupNotFound, RunGroupsFailed
from satflow_ext.lease.address import make_private_folder
from satflow_ext.models import FAILED_POINTS, LIVE_POINTS, JsonObject, PointState, RunGroup, RunGroupState, RunPoint
from satflow_ext.settings import LOCAL, Settings

FORMAT = 1
"""Version of the tables, as SQLite's `user_version`."""
KEPT_GROUPS = 500
"""Number of groups that are kept; the oldest ended ones are removed. Their runs stay in Prefect."""
BUSY_SECONDS = 30.0
"""Seconds to wait for the write of another process."""

_TABLES = """
CREATE TABLE run_group (
    id TEXT PRIMARY KEY,
    prefect TEXT NOT NULL,
    name TEXT NOT NULL,
    flow_name TEXT NOT NULL,
    deployment_name TEXT NOT NULL,
    deployment_id TEXT NOT NULL,
    created TEXT NOT NULL,
    concurrency INTEGER NOT NULL,
    newest_first INTEGER NOT NULL,
    varied TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'active',
    problem TEXT,
    UNIQUE (prefect, name)
);
CREATE TABLE point (
    group_id TEXT NOT NULL REFERENCES run_group (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    digest TEXT NOT NULL,
    parameters TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 1,
    run_id TEXT,
    state TEXT NOT NULL DEFAULT 'WAITING',
    message TEXT,
    duration REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (group_id, position),
    UNIQUE (group_id, digest)
);
CREATE INDEX point_state ON point (group_id, state);
"""
_GROUP_COLUMNS = """id, name, flow_name, deployment_name, deployment_id, created, concurrency, newest_first, varied, status,
    problem"""
_POINT_COLUMNS = "position, parameters, state, attempt, run_id, message, duration"


@dataclass(frozen=True)
class GroupRow:
    """A group as it is stored.

    `status` is `active`, `cancelling` until the runs of a cancelled group have ended, then `cancelled`, or `stopped` because of
    its `problem`.
    """

    id: str
    name: str
    flow_name: str
    deployment_name: str
    deployment_id: str
    created: str
    concurrency: int
    newest_first: bool
    varied: tuple[str, ...]
    status: str
    problem: str | None


@dataclass(frozen=True)
class NewPoint:
    """A point to add: its digest and parameters."""

    digest: str
    parameters: JsonObject


class GroupDatabase:
    """The run groups of one Prefect API.

    Args:
        settings: define the state folder.
        prefect_api: the API that has the runs. The groups of other APIs are not visible.
    """

    def __init__(self, settings: Settings, prefect_api: PrefectApi) -> None:
        self._folder = settings.state_dir / "run_groups"
        self._prefect = LOCAL if prefect_api.local else hide_credentials(prefect_api.url)

    def list_groups(self, limit: int) -> tuple[RunGroup, ...]:
        """Return the newest groups, newest first."""
        with self._open() as connection:
            rows = _read_groups(
                connection, "prefect = ? ORDER BY created DESC, rowid DESC LIMIT ?", self._prefect, limit
            )
            return tuple(_describe_group(connection, row) for row in rows)

    def find_row(self, name: str) -> GroupRow | None:
        """Return the group with that name or id."""
        with self._open() as connection:
            return self._find_row(connection, name)

    def read_group(self, name: str) -> RunGroup:
        """Return the group with that name or id, and the number of its points in each state.

        Raises:
            RunGroupNotFound: there is none.
        """
        with self._open() as connection:
            row = self._find_row(connection, name)
            if row is None:
                raise RunGroupNotFound(
                    f"This machine has no run group {name!r} for this Prefect API.",
                    fix="List the run groups: satflow run-groups",
                )
            return _describe_group(connection, row)

    def list_active(self) -> list[GroupRow]:
        """Return the groups that have points to submit or runs that have not ended, oldest first."""
        condition = f"""prefect = ? AND (status = 'cancelling' OR EXISTS (SELECT 1 FROM point WHERE group_id = run_group.id AND (
            state IN {_placeholders(LIVE_POINTS)} OR (state = 'WAITING' AND status = 'active')))) ORDER BY created, rowid"""
        with self._open() as connection:
            return _read_groups(connection, condition, self._prefect, *LIVE_POINTS)

    def create_group(self, row: GroupRow, points: Sequence[NewPoint]) -> str:
        """Add a group with its points, and return its id. Remove the oldest ended groups if there are too many.

        If another process has just created the group of that name, the points that it lacks are added to it.
        """
        values = (row.id, self._prefect, row.name, row.flow_name, row.deployment_name, row.deployment_id, row.created)
        with self._open(writes=True, activates=True) as connection:
            _remove_old_groups(connection)
            connection.execute(
                """INSERT OR IGNORE INTO run_group (id, prefect, name, flow_name, deployment_name, deployment_id, created,
                concurrency, newest_first, varied) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (*values, row.concurrency, row.newest_first, json.dumps(row.varied)),
            )
            (stored,) = _read_groups(connection, "prefect = ? AND name = ?", self._prefect, row.name)
            _insert_points(connection, stored.id, points)
            return stored.id

    def extend_group(self, row: GroupRow, points: Sequence[NewPoint], again: Sequence[str]) -> None:
        """Add points to a group, change how it is submitted, and let points run again.

        Args:
            row: the group, with its new deployment id, concurrency and order.
            points: the new points.
            again: digests of points that run again.
        """
        with self._open(writes=True, activates=True) as connection:
            connection.execute(
                """UPDATE run_group SET deployment_id = ?, concurrency = ?, newest_first = ?, varied = ?, status = 'active',
                problem = NULL WHERE id = ?""",
                (row.deployment_id, row.concurrency, row.newest_first, json.dumps(row.varied), row.id),
            )
            _insert_points(connection, row.id, points)
            connection.executemany(f"{_RUN_AGAIN} AND digest = ?", [(row.id, digest) for digest in again])

    def run_failed_again(self, group_id: str) -> int:
        """Let the failed points of a group run again, and return their number."""
        with self._open(writes=True, activates=True) as connection:
            changed = connection.execute(
                f"{_RUN_AGAIN} AND state IN {_placeholders(FAILED_POINTS)}", (group_id, *FAILED_POINTS)
            ).rowcount
            connection.execute("UPDATE run_group SET status = 'active', problem = NULL WHERE id = ?", (group_id,))
            return changed

    def cancel_group(self, group_id: str) -> None:
        """Cancel all points that are not submitted, and request the end of the others."""
        with self._open(writes=True, activates=True) as connection:
            connection.execute("UPDATE run_group SET status = 'cancelling', problem = NULL WHERE id = ?", (group_id,))
            connection.execute(
                "UPDATE point SET state = 'CANCELLED', run_id = NULL WHERE group_id = ? AND state = 'WAITING'",
                (group_id,),
            )

    def finish_cancelling(self, group_id: str) -> None:
        """Record that all runs of a cancelled group have ended."""
        with self._open(writes=True) as connection:
            connection.execute(
                "UPDATE run_group SET status = 'cancelled' WHERE id = ? AND status = 'cancelling'", (group_id,)
            )

    def stop_group(self, group_id: str, problem: str) -> None:
        """Submit no further points of a group, because of a problem that only the user can solve."""
        with self._open(writes=True) as connection:
            connection.execute("UPDATE run_group SET status = 'stopped', problem = ? WHERE id = ?", (problem, group_id))

    def set_problem(self, problem: str | None) -> None:
        """Record why the active groups do not continue at the moment; None if they do."""
        with self._open() as connection:
            condition = "prefect = ? AND status = 'active' AND problem IS NOT ?"
            if not _read_groups(connection, condition, self._prefect, problem):
                return
        with self._open(writes=True) as connection:
            connection.execute(f"UPDATE run_group SET problem = ? WHERE {condition}", (problem, self._prefect, problem))

    def set_deployment(self, group_id: str, deployment_id: str) -> None:
        """Record the id of a deployment that was registered again."""
        with self._open(writes=True) as connection:
            connection.execute("UPDATE run_group SET deployment_id = ? WHERE id = ?", (deployment_id, group_id))

    def read_points(self, group_id: str, *, limit: int, offset: int = 0) -> tuple[RunPoint, ...]:
        """Return points of a group, in the order of the request."""
        with self._open() as connection:
            return _read_points(connection, "group_id = ? ORDER BY position LIMIT ? OFFSET ?", group_id, limit, offset)

    def read_states(self, group_id: str) -> dict[str, PointState]:
        """Return the state of each point by its digest."""
        with self._open() as connection:
            return dict(
                connection.execute("SELECT digest, state FROM point WHERE group_id = ?", (group_id,)).fetchall()
            )

    def list_submitted(self, group_id: str, *, live_only: bool) -> tuple[RunPoint, ...]:
        """Return the points that have a run, or only those whose run has not ended."""
        states = f"state IN {_placeholders(LIVE_POINTS)}" if live_only else "TRUE"
        with self._open() as connection:
            return _read_points(
                connection,
                f"group_id = ? AND run_id IS NOT NULL AND {states} ORDER BY position",
                group_id,
                *(LIVE_POINTS if live_only else ()),
            )

    def list_waiting(self, group: GroupRow, limit: int) -> tuple[RunPoint, ...]:
        """Return the next points to submit."""
        order = "DESC" if group.newest_first else "ASC"
        with self._open() as connection:
            return _read_points(
                connection,
                f"group_id = ? AND state = 'WAITING' ORDER BY position {order} LIMIT ?",
                group.id,
                max(limit, 0),
            )

    def record_submitted(self, group_id: str, point: RunPoint, run_id: str) -> bool:
        """Record the run of a point. Return False if the group was cancelled in the meantime, so that the run must end."""
        with self._open(writes=True) as connection:
            changed = connection.execute(
                """UPDATE point SET run_id = ?, state = 'SCHEDULED' WHERE group_id = ? AND position = ? AND attempt = ?
                AND state = 'WAITING'""",
                (run_id, group_id, point.position, point.attempt),
            ).rowcount
            return changed > 0

    def record_refused(self, group_id: str, point: RunPoint, message: str) -> None:
        """Record that no run of a point could be created, and the reason."""
        with self._open(writes=True) as connection:
            connection.execute(
                "UPDATE point SET state = 'REFUSED', message = ? WHERE group_id = ? AND position = ? AND attempt = ?",
                (message, group_id, point.position, point.attempt),
            )

    def record_states(self, group_id: str, points: Sequence[RunPoint]) -> None:
        """Record the states of runs. Points that have another run by now are not changed."""
        changes = [(each.state, each.message, each.duration, group_id, each.run_id) for each in points]
        is_live = any(each.state in LIVE_POINTS for each in points)
        with self._open(writes=True, activates=is_live) as connection:
            connection.executemany(
                "UPDATE point SET state = ?, message = ?, duration = ? WHERE group_id = ? AND run_id = ?", changes
            )

    def has_pending(self) -> bool:
        """Return whether groups may be active. This reads one entry of a folder and no database."""
        return self._pending_file.exists()

    def clear_pending(self) -> None:
        """Record that no group is active. The caller has the submission lock, and checks again afterwards."""
        self._pending_file.unlink(missing_ok=True)
        if self.list_active():  # of a request that was made in the meantime
            self._mark_pending()

    def take_submission_lock(self) -> IO[bytes] | None:
        """Become the one process that submits runs to this API, until the file is closed; None if another process is."""
        try:
            make_private_folder(self._folder)
            return file_lock.take_lock(self._folder / f"{self._file_prefix}.lock")
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from None

    def _find_row(self, connection: sqlite3.Connection, name: str) -> GroupRow | None:
        condition = "prefect = ? AND ? IN (name, id) ORDER BY name = ? DESC"
        return next(iter(_read_groups(connection, condition, self._prefect, name, name)), None)

    @property
    def _pending_file(self) -> Path:
        return self._folder / f"{self._file_prefix}.pending"

    @property
    def _file_prefix(self) -> str:
        """`local`, which the local stack's supervisor reads, or a name that depends on the API's address."""
        if self._prefect == LOCAL:
            return LOCAL
        return hashlib.sha256(self._prefect.encode()).hexdigest()[:32]

    def _mark_pending(self) -> None:
        self._pending_file.touch(mode=0o600)

    @contextmanager
    def _open(self, *, writes: bool = False, activates: bool = False) -> Iterator[sqlite3.Connection]:
        """Open a connection, with one transaction for the block.

        Args:
            writes: whether the transaction writes.
            activates: whether groups may be active afterwards. This is recorded before the transaction, in case this process is
                killed, and after it, because a submitter that does not see the transaction yet removes the record.

        Raises:
            RunGroupsFailed: the database cannot be read or written; the transaction is not executed.
        """
        try:
            connection = self._connect()
            try:
                if activates:
                    self._mark_pending()
                connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                yield connection
                connection.execute("COMMIT")
                if activates:
                    self._mark_pending()
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._failure(str(error)) from error
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        make_private_folder(self._folder)
        path = self._folder / "groups.db"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._create_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        if _read_format(connection) == 0:
            connection.execute("BEGIN IMMEDIATE")
            if _read_format(connection) == 0:  # another process may have created them
                for statement in filter(str.strip, _TABLES.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute("COMMIT")
        if (found := _read_format(connection)) != FORMAT:
            raise sqlite3.DatabaseError(f"it has format {found}, and this version of SatFlow uses {FORMAT}")

    def _failure(self, reason: str) -> RunGroupsFailed:
        return RunGroupsFailed(
            f"The database of run groups in {self._folder} cannot be used: {reason}.",
            fix="Check the disk and the permissions, or move the folder away: the runs stay in Prefect.",
        )


# A point that waits or runs never starts again, even if it has started since it was selected.
_RUN_AGAIN = """UPDATE point SET attempt = attempt + 1, run_id = NULL, state = 'WAITING', message = NULL, duration = 0
    WHERE group_id = ? AND state IN ('COMPLETED', 'FAILED', 'CRASHED', 'REFUSED', 'CANCELLED', 'DELETED')"""


def new_group_id() -> str:
    """Return an id for a new group."""
    return uuid4().hex


def _read_format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _placeholders(values: Sequence[object]) -> str:
    return f"({', '.join('?' * len(values))})"


def _insert_points(connection: sqlite3.Connection, group_id: str, points: Sequence[NewPoint]) -> None:
    (last,) = connection.execute(
        "SELECT coalesce(max(position), 0) FROM point WHERE group_id = ?", (group_id,)
    ).fetchone()
    connection.executemany(
        "INSERT OR IGNORE INTO point (group_id, position, digest, parameters) VALUES (?, ?, ?, ?)",
        [(group_id, last + at, each.digest, json.dumps(each.parameters)) for at, each in enumerate(points, 1)],
    )


def _remove_old_groups(connection: sqlite3.Connection) -> None:
    open_states = ("WAITING", *LIVE_POINTS)
    connection.execute(
        f"""DELETE FROM run_group WHERE id IN (SELECT id FROM run_group ORDER BY created DESC LIMIT -1 OFFSET ?)
        AND NOT EXISTS (SELECT 1 FROM point WHERE group_id = run_group.id AND state IN {_placeholders(open_states)})""",
        (KEPT_GROUPS - 1, *open_states),
    )


def _read_groups(connection: sqlite3.Connection, condition: str, *values: object) -> list[GroupRow]:
    rows = connection.execute(f"SELECT {_GROUP_COLUMNS} FROM run_group WHERE {condition}", values)
    return [_parse_group(row) for row in rows.fetchall()]


def _parse_group(row: sqlite3.Row) -> GroupRow:
    converted = {"newest_first": bool(row["newest_first"]), "varied": tuple(json.loads(row["varied"]))}
    return GroupRow(**{**dict(row), **converted})


def _read_points(connection: sqlite3.Connection, condition: str, *values: object) -> tuple[RunPoint, ...]:
    rows = connection.execute(f"SELECT {_POINT_COLUMNS} FROM point WHERE {condition}", values)
    return tuple(RunPoint(**{**dict(row), "parameters": json.loads(row["parameters"])}) for row in rows.fetchall())


def _describe_group(connection: sqlite3.Connection, row: GroupRow) -> RunGroup:
    counted = connection.execute("SELECT state, count(*) FROM point WHERE group_id = ? GROUP BY state", (row.id,))
    counts: dict[PointState, int] = dict(counted.fetchall())
    return RunGroup(
        id=row.id,
        name=row.name,
        deployment_id=row.deployment_id,
        deployment_name=row.deployment_name,
        flow_name=row.flow_name,
        created=datetime.fromisoformat(row.created).astimezone(timezone.utc),
        concurrency=row.concurrency,
        newest_first=row.newest_first,
        state=_group_state(row.status, counts),
        total=sum(counts.values()),
        counts=counts,
        varied=row.varied,
        problem=row.problem,
    )


def _group_state(status: str, counts: dict[PointState, int]) -> RunGroupState:
    live = any(counts.get(state) for state in LIVE_POINTS)
    if status == "stopped":
        return "running" if live else "stopped"
    if live or counts.get("WAITING"):
        return "cancelling" if status == "cancelling" else "running"
    if any(counts.get(state) for state in FAILED_POINTS):
        return "failed"
    return "completed" if counts.keys() == {"COMPLETED"} else "cancelled"
