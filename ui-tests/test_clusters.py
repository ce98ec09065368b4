"""Shared clusters, from the register form until they are closed, and existing clusters."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab import Lab
from playwright.sync_api import Page, expect
from screenshots import shot
from sidebar import RUNS, STARTS, open_form, show_flows

FLOW = """
from prefect import flow

@flow
def warmed(): ...
"""


def test_a_shared_cluster_is_chosen_started_and_closed(page: Page, lab: Lab) -> None:
    lab.open_notebook(page, lab.write("warmed.ipynb", FLOW))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    form.get_by_test_id("satflow-executor-dask-cluster").click()
    form.get_by_label("Maximum", exact=True).fill("1")
    form.get_by_label("Minimum", exact=True).fill("2")
    form.get_by_test_id("satflow-submit").click()
    expect(form).to_contain_text("less than the minimum", timeout=STARTS)
    shot(page, "40-contradiction")
    form.get_by_label("Minimum", exact=True).fill("0")
    back_end, its_options = (form.get_by_label(name, exact=True) for name in ("Cluster provider", "Provider options"))
    back_end.fill("distributed:LocalKluster")
    its_options.fill('{"host": "127.0.0.1"}')
    form.get_by_test_id("satflow-submit").click()
    expect(form).to_contain_text("The cluster provider distributed:LocalKluster cannot be imported", timeout=STARTS)
    shot(page, "42-back-end")
    back_end.fill("gateway")
    its_options.fill("")
    form.get_by_test_id("satflow-submit").click()
    expect(form.get_by_test_id("satflow-registered")).to_have_attribute("data-outcome", "created", timeout=STARTS)

    cluster = page.get_by_test_id("satflow-shared-cluster")
    expect(cluster).to_contain_text("not running", timeout=STARTS)
    cluster.get_by_role("button", name=re.compile("Start")).click()
    expect(cluster).to_contain_text("0 workers", timeout=RUNS)
    expect(cluster.get_by_test_id("satflow-cluster-sparks")).to_be_visible(timeout=STARTS)
    shot(page, "41-shared-cluster")
    cluster.get_by_role("button", name=re.compile("Close")).click()
    page.get_by_role("button", name="Close cluster").click()
    expect(cluster).to_contain_text("not running", timeout=STARTS)


@pytest.fixture
def team_cluster(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a Dask cluster with two Dask workers; yield its address and the process of the first worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    loopback = ["--host", "127.0.0.1"]
    each = ["--nthreads", "1", "--no-dashboard", *loopback]
    workers = [["worker", address, "--name", name, *each] for name in ("north", "south")]
    commands = [["scheduler", "--port", port, "--dashboard-address", "127.0.0.1:0", *loopback], *workers]
    with ExitStack() as processes:
        started = [
            processes.enter_context(subprocess.Popen([sys.executable, "-m", "dask", *command], cwd=tmp_path))
            for command in commands
        ]
        yield address, started[1]
        for process in started:
            process.terminate()


def test_a_cluster_at_an_address_is_seen_between_runs(
    page: Page, lab: Lab, team_cluster: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, worker = team_cluster
    lab.open_notebook(page, lab.write("elsewhere.ipynb", FLOW.replace("warmed", "elsewhere")))
    lab.run_all(page)
    show_flows(page)
    form = open_form(page)
    form.get_by_test_id("satflow-executor-dask-address").click()
    form.get_by_label("Scheduler address").fill(address)
    form.get_by_test_id("satflow-submit").click()
    expect(form.get_by_test_id("satflow-registered")).to_have_attribute("data-outcome", "created", timeout=STARTS)

    cluster = page.get_by_test_id("satflow-cluster").filter(has_text="elsewhere")
    expect(cluster).to_contain_text("2 workers", timeout=STARTS)
    page.wait_for_timeout(2500)
    shot(page, "42-between-runs")
    cluster.get_by_test_id("satflow-dask-pages").click()
    pages = page.frame_locator("iframe[src*='/proxy/'][src*='workers-memory']")
    expect(pages.locator("canvas").first).to_be_attached(timeout=STARTS)
    page.wait_for_timeout(3000)
    shot(page, "43-dask-pages")
    worker.terminate()
    expect(cluster).to_contain_text("1 worker", timeout=STARTS)
