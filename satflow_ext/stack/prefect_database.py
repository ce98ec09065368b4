"""The Prefect server's SQLite database, checked before the server starts.

The server itself reports a damaged or newer database by a traceback of Alembic, minutes later. Nothing here imports Prefect.
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
"""Seconds that the check of a large database may take; without a result by then, the server starts."""

INTERPRETER_SECONDS = 2.0
"""Seconds that the process of the check may take besides."""

REVISION = re.compile(r"^revision(?:\s*:\s*str)?\s*=\s*[\"'](\w+)[\"']", re.MULTILINE)
BUSY = re.compile(r"locked|busy")
BUSY_FIX = "Another program uses it: end that, such as another Prefect server or a database browser, and start again."
BACKUP_FIX = (
    "`satflow up --new-database` keeps it as a backup and starts with a new one: "
    "registered deployments come back, the history of runs does not."
)


def check_database(path: Path) -> None:
    """Check that the installed Prefect can use the database. Blocks, for `CHECK_SECONDS` and a little more at most.

    Args:
        path: the file; one that is missing will be made by the server.

    Raises:
        StackFailed: it is damaged, cannot be opened, is in use, or was written by a newer Prefect.
    """
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        revision = _read_revision(path)
        problem = _find_damage(path)
    except sqlite3.OperationalError as error:  # such as "unable to open database file", "disk I/O error"
        fix = BUSY_FIX if BUSY.search(str(error)) else BACKUP_FIX
        raise StackFailed(f"The Prefect server's database {path} cannot be used: {error}.", fix=fix) from None
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
    """Rename the database, with what SQLite keeps next to it, to a backup: all of it or nothing.

    Hold the stack's lock: a server that opened the database in between would not see its write-ahead log.

    Returns:
        The backup's path, None where there was no database.

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
            for back, there in reversed(moved):
                there.rename(back)
            raise DiskFailed(
                f"{source} cannot be renamed to {target.name}: {error.strerror}.",
                fix=f"See that the folder {path.parent} can be written, then try again.",
            ) from error
        moved.append((source, target))
    return backup if found else None


def _find_damage(path: Path) -> str | None:
    """Return what is damaged, None where nothing was found within `CHECK_SECONDS`."""
    checking = subprocess.Popen(
        [sys.executable, "-I", "-S", quick_check.__file__, _uri(path), str(CHECK_SECONDS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        output, _ = checking.communicate(timeout=CHECK_SECONDS + INTERPRETER_SECONDS)
    except subprocess.TimeoutExpired:
        checking.kill()  # and not waited for: a disk that does not answer keeps it
        output = ""
    if not output:
        logger.warning("The check of %s was cut off.", path)
        return None
    kind, found = json.loads(output)
    if kind is not None:
        raise (sqlite3.OperationalError if kind == "OperationalError" else sqlite3.DatabaseError)(found)
    return None if found == "ok" else " ".join(str(found).split())


def _read_revision(path: Path) -> str | None:
    """Return the migration that the database is at; None where the server has not made its tables."""
    try:
        with contextlib.closing(sqlite3.connect(_uri(path), uri=True, timeout=1.0)) as database:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return None
    return str(row[0]) if row else None


def _uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=rw"


def _known_revisions() -> set[str]:
    spec = importlib.util.find_spec("prefect")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "server" / "database" / "_migrations" / "versions" / "sqlite"
    return {found for file in folder.glob("*.py") for found in REVISION.findall(file.read_text(encoding="utf-8"))}
