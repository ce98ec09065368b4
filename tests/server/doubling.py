"""A cell with flows for the Jupyter server's tests, and their runs as a browser follows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from satflow_ext.models import RunDetail

FLOW = """
from prefect import flow, task, get_run_logger

@task
def double(n):
    return 2 * n

@flow
def doubling(n: int = 3):
    get_run_logger().info("doubling %s", n)
    return double(n)

@flow
def failing():
    raise ValueError("no tiles today")
"""
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


def ended(found: RunDetail) -> bool:
    return found.run.state_type in ENDED


async def reaches(browser, run_id: str, state: Callable[[RunDetail], bool] = ended) -> RunDetail:
    while not state(found := await browser.ask(RunDetail, "GET", f"runs/{run_id}")):  # noqa: ASYNC110 - kept elsewhere
        await asyncio.sleep(0.2)
    return found
