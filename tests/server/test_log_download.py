"""Keeping a run's log while the Prefect API goes away: whoever asked for it notices, and takes no part for the whole."""

from __future__ import annotations

import asyncio
import http.client
import os
import subprocess
import sys
import urllib.request
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from prefect.client.schemas.actions import LogCreate

from satflow_ext.models import RunDetail
from tests.between import between
from tests.prefect_clients import stock_client
from tests.server.new_runs import new_run

LINES = 2_000


async def long_log(api) -> str:
    run_id = await new_run(api)
    now = datetime.now(timezone.utc)
    lines = [
        LogCreate(
            name="flow", level=20, message=f"line {n}", timestamp=now + timedelta(seconds=n), flow_run_id=UUID(run_id)
        )
        for n in range(LINES)
    ]
    async with stock_client(api) as client:
        for start in range(0, LINES, 250):
            await client.create_logs(lines[start : start + 250])
    return run_id


@pytest.fixture
def through(prefect_api, monkeypatch):
    """A way to the Prefect API that ends after some pages of a log."""
    with between(prefect_api) as proxy:
        monkeypatch.setenv("SATFLOW_PREFECT_API_URL", proxy.api.url)
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", prefect_api.auth_string)
        yield proxy


def download(url: str, token: str) -> bytes:
    """As any client of HTTP takes it."""
    request = urllib.request.Request(url, headers={"Authorization": token})
    with urllib.request.urlopen(request, timeout=120) as reply:
        return reply.read()


async def test_a_log_that_breaks_off_does_not_look_whole(
    browser, prefect_api, through, jp_http_port, jp_base_url, jp_auth_header
):
    run_id = await long_log(prefect_api)
    await browser.ask(RunDetail, "GET", f"runs/{run_id}")
    url = f"http://127.0.0.1:{jp_http_port}{jp_base_url}satflow/runs/{run_id}/log"
    token = jp_auth_header["Authorization"]
    assert (await asyncio.to_thread(download, url, token)).count(b"\n") == LINES

    pages = 0

    def cut_in_the_middle(method, path):
        nonlocal pages
        pages += path == "/api/logs/filter"
        if pages == 7:  # two readers, some pages each
            through.cut.set()

    through.answered = cut_in_the_middle
    command = [sys.executable, "-m", "satflow_ext.cli", "logs", run_id]
    terminal = await asyncio.create_subprocess_exec(
        *command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    said = asyncio.create_task(terminal.communicate())
    while pages < 2:  # noqa: ASYNC110 - another process reads
        await asyncio.sleep(0.02)
    with pytest.raises(http.client.IncompleteRead) as broken:
        await asyncio.to_thread(download, url, token)
    assert broken.value.partial.startswith(b"20")
    assert b"line 0\n" in broken.value.partial
    shown, words = await said
    assert terminal.returncode == 1
    assert b"line 0\n" in shown
    assert b"the log is incomplete: it ends here because of an error" in words
    assert b"Nothing answers at the Prefect API's address" in words
