"""Look for damage in a SQLite database: `python -I -S quick_check.py URI SECONDS`, with the standard library alone.

A process of its own, because SQLite before 3.41 cannot be interrupted while it checks a table: the kernel ends this process after
the given seconds by SIGALRM. Its output is JSON: the name of an exception or null, and what was found.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import sys


def main() -> None:
    """Check, and print what was found."""
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
