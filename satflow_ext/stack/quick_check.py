"""Check a SQLite database for damage: `python -I -S quick_check.py URI SECONDS`, using only the standard library.

The check runs in a separate process, because SQLite before 3.41 cannot be interrupted while it checks a table: the kernel ends
this process by SIGALRM after the given seconds. Its output is a JSON array: the name of an exception or null, and the result.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import sys


def main() -> None:
    """Check the database and print the result."""
    signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
    try:
        with contextlib.closing(sqlite3.connect(sys.argv[1], uri=True, timeout=1.0)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        json.dump([type(error).__name__, str(error)], sys.stdout)
    else:
        json.dump([None, found], sys.stdout)


if __name__ == "__main__":
    main()
