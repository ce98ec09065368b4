"""The Prefect server's SQLite database, checked before the server starts.

The server itself reports a damaged or newer database by a traceback of Alembic, minutes later. Nothing here imports Prefect.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import sqlite3
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from satflow_ext.errors import StackFailed

CHECK_SECONDS = 4.0
"""Seconds that the check of a large database may take; what was read by then counts."""

STEPS = 100_000
"""Instructions of SQLite between two looks at the clock."""

REVISION = re.compile(r"^revision(?:\s*:\s*str)?\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)
BACKUP_FIX = (
    "`satflow up --new-database` keeps it as a backup and starts with a new one: "
    "registered deployments come back, the history of runs does not."
)


def check_database(path: Path) -> None:
    """Check that the installed Prefect can use the database. Blocks, for `CHECK_SECONDS` and a little more at most.

    Args:
        path: the file; one that is missing will be made by the server.

    Raises:
        StackFailed: it is damaged, cannot be opened, or was written by a newer Prefect.
    """
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1.0)
        ) as database:
            problem, revision = _find_damage(database), _read_revision(database)
    except sqlite3.OperationalError as error:  # such as "unable to open database file", "disk I/O error"
        raise StackFailed(f"The Prefect server's database {path} cannot be used: {error}.", fix=BACKUP_FIX) from None
    except sqlite3.DatabaseError as error:
        problem, revision = str(error), None
    if problem is not None:
        raise StackFailed(f"The Prefect server's database {path} is damaged: {problem}.", fix=BACKUP_FIX)
    if revision is not None and revision not in _known_revisions():
        raise StackFailed(
            f"The Prefect server's database {path} was written by a newer Prefect than {version('prefect')}.",
            fix=f"Install that Prefect again. Or {BACKUP_FIX}",
        )


def move_aside(path: Path) -> Path | None:
    """Rename the database, with what SQLite keeps next to it, to a backup. No server may run.

    Returns:
        The backup's path, None where there was no database.
    """
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    backup = path.with_name(f"{path.name}.backup-{stamp}")
    found = path.exists()
    for ending in ("-wal", "-shm", ""):  # the database last: a backup that is cut off can be repeated
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(backup.with_name(backup.name + ending))
    return backup if found else None


def _find_damage(database: sqlite3.Connection) -> str | None:
    deadline = time.monotonic() + CHECK_SECONDS
    database.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    try:
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return None
    finally:
        database.set_progress_handler(None, 0)
    return None if found == "ok" else " ".join(str(found).split())


def _read_revision(database: sqlite3.Connection) -> str | None:
    """Return the migration that the database is at; None where the server has not made its tables."""
    try:
        row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return None
    return str(row[0]) if row else None


def _known_revisions() -> set[str]:
    spec = importlib.util.find_spec("prefect")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "server" / "database" / "_migrations" / "versions" / "sqlite"
    return {found for file in folder.glob("*.py") for found in REVISION.findall(file.read_text(encoding="utf-8"))}
