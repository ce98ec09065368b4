"""`%register_flow` in a live kernel → deployment readable in the API, beside `prefect deploy` of the same flow from a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from figure import p50, p99, report
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from places import own_stack, prefect_environment

OURS = 60
PEERS = 5

CELL = """
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow
def bench(count: int = {count}):
    return double.map(range(count)).result()
"""


def ours() -> list[float]:
    """Milliseconds of each registration of a flow that changed."""
    with kernel() as client:
        return [one(client, count) for count in range(OURS + 3)][3:]


@contextmanager
def kernel() -> Iterator[BlockingKernelClient]:
    """A kernel that registers with the local stack of this process's environment."""
    manager, client = start_new_kernel(kernel_name="python3", env=dict(os.environ))
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def one(client: BlockingKernelClient, count: int) -> float:
    """Milliseconds of registering the flow with that number, which becomes its next version."""
    _execute(client, CELL.format(count=count))
    start = time.perf_counter()
    output = _execute(client, "%register_flow bench")
    took = 1000 * (time.perf_counter() - start)
    assert re.search(rf"^Version: +{count + 1}, ", output, re.MULTILINE), output
    return took


def _execute(client: BlockingKernelClient, code: str) -> str:
    texts: list[str] = []

    def collect(message: dict[str, Any]) -> None:
        content = message["content"]
        texts.append(content.get("text") or content.get("data", {}).get("text/plain", ""))

    reply = client.execute_interactive(code, output_hook=collect, timeout=120)
    assert reply["content"]["status"] == "ok", (reply["content"], texts)
    return "".join(texts)


def peers(environment: dict[str, str]) -> list[float]:
    """Milliseconds of each `prefect deploy`."""
    with TemporaryDirectory() as folder:
        taken = []
        for count in range(PEERS):
            Path(folder, "flows.py").write_text(CELL.format(count=count))
            start = time.perf_counter()
            subprocess.run(
                [*_prefect("--no-prompt", "deploy"), "flows.py:bench", "--name", "stock", "--pool", "satflow-local"],
                cwd=folder,
                env=environment,
                check=True,
                capture_output=True,
            )
            taken.append(1000 * (time.perf_counter() - start))
    return taken


def _prefect(*words: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *words]


if __name__ == "__main__":
    with own_stack() as (where, _):
        mine, stock = ours(), peers(prefect_environment(where))
    report("register.p50", p50(mine), p50(stock), n=len(mine))
    report("register.p99", p99(mine), max(stock), n=len(mine))
