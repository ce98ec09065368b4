"""The check of the Prefect server's SQLite database before the server starts.

The server reports a damaged or newer database only minutes later, by a traceback of Alembic. This module does not import Prefect.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import re
import sqlite3
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from satflow_ext.errors import DiskFailed, StackFailed
from satflow_ext.stack import quick_check

logger = logging.getLogger(__name__)

CHECK_SECONDS = 4.0
"""Maximum seconds for the check of a large database; without a result by then, the server starts."""

INTERPRETER_SECONDS = 2.0
"""Additional seconds that the process of the check may take to start and exit."""

REVISION_PATTERN = re.compile(r"^revision(?:\s*:\s*str)?\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)
BUSY_ERROR = re.compile(r"locked|busy")
BUSY_FIX = "Close the program that uses it, such as another Prefect server or a database browser, and start again."
BACKUP_FIX = (
    "`satflow up --new-database` keeps it as a backup and starts with a new one: "
    "registered deployments are restored, the history of runs is not."
)


def check_database(path: Path) -> None:
    """Check that the installed Prefect can use the database. Blocks for little more than `CHECK_SECONDS` at most.

    Args:
        path: database file; the server creates a missing one.

    Raises:
        StackFailed: the database is damaged, cannot be opened, is in use, or was written by a newer Prefect.
    """
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        revision = _read_revision(path)
        problem = _find_damage(path)
    except sqlite3.OperationalError as error:  # such as "unable to open database file", "disk I/O error"
        fix = BUSY_FIX if BUSY_ERROR.search(str(error)) else BACKUP_FIX
        raise StackFailed(f"The Prefect server's database {path} cannot be used: {error}.", fix=fix) from None
    except sqlite3.DatabaseError as error:
        problem, revision = str(error), None
    if problem is not None:
        raise StackFailed(f"The Prefect server's database {path} is damaged: {problem}.", fix=BACKUP_FIX)
    if revision is not None and revision not in known_revisions():
        raise StackFailed(
            f"The Prefect server's database {path} was written by a newer Prefect than {version('prefect')}.",
            fix=f"Install that version of Prefect again. Alternatively, {BACKUP_FIX}",
        )


def back_up_database(path: Path) -> Path | None:
    """Rename the database and SQLite's files next to it to a backup: either all of them or none.

    The caller must hold the stack's lock: a server that opened the database in between would miss its write-ahead log.

    Returns:
        Path of the backup, None if there was no database.

    Raises:
        DiskFailed: a file cannot be renamed.
    """
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    backup = path.with_name(f"{path.name}.backup-{stamp}")
    found = path.exists()
    moved: list[tuple[Path, Path]] = []
    for ending in ("-wal", "-shm", ""):
        source, target = path.with_name(path.name + ending), backup.with_name(backup.name + ending)
        try:
            source.rename(target)
        except FileNotFoundError:
            continue
        except OSError as error:
            for back, backup_path in reversed(moved):
                backup_path.rename(back)
            raise DiskFailed(
                f"{source} cannot be renamed to {target.name}: {error.strerror}.",
                fix=f"Make sure that the folder {path.parent} is writable, then try again.",
            ) from error
        moved.append((source, target))
    return backup if found else None


def _find_damage(path: Path) -> str | None:
    """Return a description of the damage, None if none was found within `CHECK_SECONDS`."""
    checking = subprocess.Popen(
        [sys.executable, "-I", "-S", quick_check.__file__, _database_uri(path), str(CHECK_SECONDS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        output, _ = checking.communicate(timeout=CHECK_SECONDS + INTERPRETER_SECONDS)
    except subprocess.TimeoutExpired:
        checking.kill()  # without waiting for its end: a disk that does not answer blocks it
        output = ""
    if not output:
        logger.warning("The check of %s did not finish in time; the server starts without its result.", path)
        return None
    kind, found = json.loads(output)
    if kind is not None:
        raise (sqlite3.OperationalError if kind == "OperationalError" else sqlite3.DatabaseError)(found)
    return None if found == "ok" else " ".join(str(found).split())


def _read_revision(path: Path) -> str | None:
    """Return the migration revision of the database, None if the server has not created its tables."""
    try:
        with contextlib.closing(sqlite3.connect(_database_uri(path), uri=True, timeout=1.0)) as database:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return None
    return str(row[0]) if row else None


def _database_uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=rw"


def known_revisions() -> set[str]:
    """Return the revisions of the installed Prefect's migrations."""
    spec = importlib.util.find_spec("prefect")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "server" / "database" / "_migrations" / "versions" / "sqlite"
    return {
        found for file in folder.glob("*.py") for found in REVISION_PATTERN.findall(file.read_text(encoding="utf-8"))
    }
