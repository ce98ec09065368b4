"""All benchmarks one after the other, and the page that shows their figures: docs/benchmarks.md.

With names as arguments, only those benchmarks are measured; the figures of others remain on the page.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"

BENCHMARKS = (
    *("run-start", "dask-start", "cli", "up", "idle", "kernel-hook", "pack", "register", "register-many"),
    *("logs", "log-keep", "environment", "dask-tasks", "cluster-start", "cluster-status", "panel", "scrolling"),
)

PACKAGES = ("prefect", "prefect-dask", "distributed", "jupyterlab", "jupyter-server")

HEAD = """# Benchmarks

Each figure is measured next to what a user would pick instead, in the same run. Ratios are ours / peer.
Absolute times depend on the machine and on what else it does: compare ratios.

To repeat: `scripts/bench NAME` prints the figures of one benchmark as JSON lines, and `scripts/bench all [NAME …]` measures them
one after the other and writes this page. The first lines of `benchmarks/NAME.py` describe what is measured, and the peer.

"""

TABLE = "| figure | ours | peer | ratio | unit | runs | measured |\n|---|---|---|---|---|---|---|\n"
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \|.*$", re.MULTILINE)


def measure(names: Iterable[str]) -> Iterator[dict[str, object]]:
    """Run benchmarks, and yield their figures. One that fails is reported, and the others go on."""
    for name in names:
        path = HERE / f"{name.replace('-', '_')}.py"
        done = subprocess.run([sys.executable, str(path)], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"{name} ended with exit code {done.returncode}", file=sys.stderr)
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                print(line, flush=True)
                yield json.loads(line)


def format_row(figure: dict[str, object], measured: str) -> str:
    """Format a figure as a row of the page's table."""
    cells = ("-" if figure[key] is None else figure[key] for key in ("ours", "peer", "ratio", "unit", "n"))
    return f"| `{figure['name']}` | {' | '.join(map(str, cells))} | {measured} |"


def describe_machine() -> str:
    """Describe the processor, the memory and the versions of packages in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{platform.system()}, {os.cpu_count()} processors, {memory} GiB; "
        f"Python {platform.python_version()}, {packages}"
    )


def main(names: list[str]) -> None:
    """Measure, and write the page."""
    load = os.getloadavg()[0]
    now = datetime.now(timezone.utc).date().isoformat()
    measured = {str(each["name"]): format_row(each, now) for each in measure(names or BENCHMARKS)}
    before = {found["name"]: found[0] for found in ROW.finditer(PAGE.read_text() if PAGE.exists() else "")}
    rows = "\n".join((before | measured).values())
    machine = f"Last measured on {now}: {describe_machine()}; load {load:.1f} before the first benchmark.\n\n"
    PAGE.write_text(f"{HEAD}{machine}{TABLE}{rows}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
