"""The command line, from the start of a command to its end, beside Prefect's own command line on the same server.

`cli.run` starts a run of a flow of 0.3 seconds and follows its log until it has ended: `satflow run --follow`, and
`prefect deployment run --watch` of the same deployment. `cli.after-end` is the part of that after the end of the run.
`cli.status` is one look: `satflow status` and `prefect flow-run ls`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from figure import p50, report
from places import own_stack, prefect_environment

from satflow_ext.endpoints import Endpoints
from satflow_ext.models import RunQuery
from satflow_ext.runs import list_runs

RUNS = 7

NOTEBOOK = [
    "import time\nfrom prefect import flow, get_run_logger",
    "@flow\ndef short():\n    get_run_logger().info('begins')\n    time.sleep(0.3)",
]

SATFLOW = [sys.executable, "-m", "satflow_ext.cli"]
PREFECT = [sys.executable, "-m", "prefect", "--no-prompt"]


def seconds_of(command: list[str], environment: dict[str, str]) -> float:
    """Seconds of one command."""
    begun = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - begun


def seconds_after_end(where: Endpoints) -> float:
    """Seconds since the end of the newest run."""
    now = datetime.now(timezone.utc)
    (newest,) = asyncio.run(list_runs(where.prefect, RunQuery(limit=1)))
    assert newest.end is not None
    return (now - newest.end).total_seconds()


def runs_of(command: list[str], environment: dict[str, str], where: Endpoints) -> tuple[list[float], list[float]]:
    """Seconds of each command that follows a run, and of the part after the run's end; the first one is left out."""
    whole, after = [], []
    for _ in range(RUNS + 1):
        whole.append(seconds_of(command, environment))
        after.append(seconds_after_end(where))
    return whole[1:], after[1:]


def write_notebook(path: Path) -> None:
    """Write a notebook with the flow."""
    cells = [
        {"cell_type": "code", "source": each, "metadata": {}, "outputs": [], "execution_count": None}
        for each in NOTEBOOK
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))


def main(where: Endpoints, folder: Path) -> None:
    """Measure all, one after the other."""
    ours, theirs = dict(os.environ), prefect_environment(where)
    notebook = folder / "short.ipynb"
    write_notebook(notebook)
    seconds_of([*SATFLOW, "register", str(notebook)], ours)
    followed, after = runs_of([*SATFLOW, "run", "short/short", "--follow"], ours, where)
    watched, peer_after = runs_of([*PREFECT, "deployment", "run", "short/short", "--watch"], theirs, where)
    status = [seconds_of([*SATFLOW, "status"], ours) for _ in range(RUNS)]
    listed = [seconds_of([*PREFECT, "flow-run", "ls"], theirs) for _ in range(RUNS)]
    unchanged = [seconds_of([*SATFLOW, "register", str(notebook)], ours) for _ in range(RUNS)]
    report("cli.run", 1000 * p50(followed), 1000 * p50(watched), n=RUNS)
    report("cli.after-end", 1000 * p50(after), 1000 * p50(peer_after), n=RUNS)
    report("cli.status", 1000 * p50(status), 1000 * p50(listed), n=RUNS)
    report("cli.register-unchanged", 1000 * p50(unchanged), n=RUNS)


if __name__ == "__main__":
    with own_stack() as (where, _), TemporaryDirectory() as folder:
        main(where, Path(folder))
