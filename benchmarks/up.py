"""How long a start takes on a fresh home: `satflow up` until all services are ready, and `prefect server start` until it answers.

`up.first` is the first start on the machine, which also prepares the template of later databases. `satflow up` starts a Prefect
worker and a store as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from figure import p50, report
from places import free_port, stock_environment, wait_until_ready

ROUNDS = 5
SATFLOW = [sys.executable, "-m", "satflow_ext.cli"]


def seconds(action: Callable[[], object]) -> float:
    """Duration of an action."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def satflow(command: str, environment: dict[str, str]) -> float:
    """Duration of one command."""
    return seconds(
        lambda: subprocess.run([*SATFLOW, command], env=environment, check=True, capture_output=True, cwd="/")
    )


def start_peer(home: Path) -> float:
    """Duration of `prefect server start` on a fresh home."""
    port = free_port()
    with (home / "peer.log").open("ab") as log:
        command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
        begun = time.perf_counter()
        server = subprocess.Popen(command, env=stock_environment(home), cwd="/", stdout=log, stderr=log)
        try:
            wait_until_ready(port)
            return time.perf_counter() - begun
        finally:
            server.terminate()
            server.wait(timeout=60)


def main(folder: Path) -> None:
    """Measure in turns, so that both meet the same machine."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SATFLOW_"))},
        "SATFLOW_STATE_DIR": str(folder / "state"),
        "SATFLOW_RUNTIME_DIR": str(folder / "run"),
        "SATFLOW_CACHE_DIR": str(folder / "cache"),
    }
    took: dict[str, list[float]] = {"first": [], "fresh": [], "again": [], "down": [], "peer": []}
    try:
        for index in range(ROUNDS + 1):
            shutil.rmtree(folder / "state", ignore_errors=True)
            took["first" if index == 0 else "fresh"].append(satflow("up", environment))
            took["again"].append(satflow("up", environment))
            took["down"].append(satflow("down", environment))
            with TemporaryDirectory() as home:
                took["peer"].append(start_peer(Path(home)))
    finally:
        subprocess.run([*SATFLOW, "down"], env=environment, capture_output=True, cwd="/", check=False)
    peer = p50(took.pop("peer"))
    for name, values in took.items():
        compared = peer if name in ("first", "fresh") else None
        report(f"up.{name}", p50(values), compared, unit="s", n=len(values))


if __name__ == "__main__":
    with TemporaryDirectory(prefix="sf-") as folder:
        main(Path(folder))
