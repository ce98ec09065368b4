"""Flows of real kernels, in good times and bad."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from http import HTTPStatus

import pytest

from satflow_ext.models import FlowList
from satflow_ext.settings import load_settings
from tests.eventually import eventually_async

FLOW = """
from prefect import flow

@flow
def tiles(n: int = 3):
    "Cut tiles."
    return n
"""


def packs() -> list[str]:
    return [str(path) for path in (load_settings().runtime_dir / "scratch").glob("pack-*")]


def registration(kernel_id: str, variable: str = "tiles", **changes: object) -> dict[str, object]:
    return {"kernel_id": kernel_id, "variable": variable, **changes}


async def test_flows_of_a_kernel(browser, open_kernel):
    async with open_kernel() as kernel:
        assert (await browser.ask(FlowList, "GET", f"kernels/{kernel.id}/flows")).flows == ()
        await kernel.run(FLOW)
        (flow,) = (await browser.ask(FlowList, "GET", f"kernels/{kernel.id}/flows")).flows
    assert (flow.name, flow.variable, flow.doc) == ("tiles", "tiles", "Cut tiles.")
    assert [parameter.name for parameter in flow.parameters] == ["n"]


async def test_the_list_names_the_kernel_s_notebook(browser, open_kernel, monkeypatch, tmp_path):
    (tmp_path / "tiles.ipynb").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "link" / "tiles.ipynb"))
    async with open_kernel() as kernel:
        listed = await browser.ask(FlowList, "GET", f"kernels/{kernel.id}/flows")
    assert listed.notebook == str((tmp_path / "tiles.ipynb").resolve())


async def test_asking_leaves_nothing_behind(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run("40 + 2")
        await browser.ask(FlowList, "GET", f"kernels/{kernel.id}/flows")
        reply = await kernel.run("assert _ == 42 and 'satflow_ext' not in dir(); get_ipython().execution_count")
    assert reply["status"] == "ok"
    assert reply["execution_count"] == 2


@pytest.mark.parametrize("kernel_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
async def test_no_such_kernel(browser, kernel_id):
    code, error = await browser.refused("GET", f"kernels/{kernel_id}/flows")
    assert (code, error.error) == (HTTPStatus.NOT_FOUND, "KernelNotFound")


async def test_a_busy_kernel(browser, open_kernel, monkeypatch):
    monkeypatch.setenv("SATFLOW_KERNEL_PATIENCE", "0.5")
    async with open_kernel() as kernel:
        await kernel.run("import time")
        cell = kernel.begin("time.sleep(3); done = True")
        await eventually_async(lambda: kernel.manager.execution_state == "busy")
        code, error = await browser.refused("GET", f"kernels/{kernel.id}/flows")
        assert (code, error.error) == (HTTPStatus.CONFLICT, "KernelBusy")
        reply = await kernel.client.get_shell_msg(timeout=30)
        assert (reply["parent_header"]["msg_id"], reply["content"]["status"]) == (cell, "ok")


async def test_a_busy_kernel_that_is_idle_soon(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run(FLOW + "\nimport time")
        kernel.begin("time.sleep(1)")
        await eventually_async(lambda: kernel.manager.execution_state == "busy")
        assert len((await browser.ask(FlowList, "GET", f"kernels/{kernel.id}/flows")).flows) == 1


@pytest.mark.parametrize("taken_for", ["starting", "restarting", None])
async def test_a_kernel_whose_first_words_the_server_missed(browser, open_kernel, taken_for):
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        kernel.manager.execution_state = taken_for
        assert len((await browser.ask(FlowList, "GET", f"kernels/{kernel.id}/flows")).flows) == 1


async def test_a_kernel_that_is_starting(browser, jp_serverapp, monkeypatch):
    monkeypatch.setenv("SATFLOW_KERNEL_PATIENCE", "0")  # patience is for cells; a start is waited for
    kernels = jp_serverapp.kernel_manager
    kernel_id = await kernels.start_kernel()
    try:
        assert (await browser.ask(FlowList, "GET", f"kernels/{kernel_id}/flows")).flows == ()
    finally:
        await kernels.shutdown_kernel(kernel_id, now=True)


SLOW_COMPLETION = """
import time

def complete(code, cursor):
    time.sleep(2)
    return {"status": "ok", "matches": [], "cursor_start": cursor, "cursor_end": cursor, "metadata": {}}

get_ipython().kernel.do_complete = complete
"""


async def test_a_question_that_is_thrown_away_with_the_queue_is_asked_again(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        await kernel.run(SLOW_COMPLETION)
        # Completing is no activity to the server, so the question is asked, and stands behind a cell that will fail.
        kernel.client.complete("ti")
        kernel.begin("1 / 0")
        assert len((await browser.ask(FlowList, "GET", f"kernels/{kernel.id}/flows")).flows) == 1


async def test_a_kernel_that_is_not_python(browser, open_kernel, jp_data_dir):
    folder = jp_data_dir / "kernels" / "talks-r"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "R (really Python)", "language": "R"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    async with open_kernel("talks-r") as kernel:
        code, error = await browser.refused("GET", f"kernels/{kernel.id}/flows")
    assert (code, error.error) == (HTTPStatus.CONFLICT, "KernelNotPython")
    assert "R (really Python)" in error.message


async def test_a_kernel_without_our_package(browser, open_kernel):
    async with open_kernel() as kernel:
        # None in sys.modules is Python's own way to say that a module cannot be imported.
        await kernel.run("import sys; [sys.modules.pop(m) for m in list(sys.modules) if m.startswith('satflow_ext')]")
        await kernel.run("sys.modules['satflow_ext'] = None")
        code, error = await browser.refused("GET", f"kernels/{kernel.id}/flows")
    assert (code, error.error) == (HTTPStatus.CONFLICT, "KernelLacksPackage")


HANGS = (
    FLOW
    + """
import time

class Slow:
    def __reduce__(self):
        import os
        open(os.environ["PACKING"], "w").close()
        time.sleep(60)
        return (int, ())

slow = Slow()

@flow
def hangs():
    return slow
"""
)


@pytest.mark.parametrize("how", ["killed", "restarted", "shut down"])
async def test_a_kernel_that_ends_while_it_packs(browser, open_kernel, jp_serverapp, tmp_path, monkeypatch, how):
    packing = tmp_path / "packing"
    monkeypatch.setenv("PACKING", str(packing))
    async with open_kernel() as kernel:
        assert (await kernel.run(HANGS))["status"] == "ok"
        asked = asyncio.create_task(browser.refused("POST", "deployments", registration(kernel.id, "hangs")))
        await eventually_async(packing.exists)
        assert len(packs()) == 1
        if how == "killed":
            killed = kernel.manager.provisioner.process.pid
            os.kill(killed, signal.SIGKILL)
        elif how == "restarted":
            await jp_serverapp.kernel_manager.restart_kernel(kernel.id, now=True)
        else:
            await jp_serverapp.kernel_manager.shutdown_kernel(kernel.id, now=True)
        code, error = await asked
        if how == "killed":
            # The server starts it again by itself, and trips over its own feet when told to end it meanwhile.
            await eventually_async(lambda: is_up_again(kernel.manager, killed))
    assert (code, error.error) == (HTTPStatus.CONFLICT, "KernelDied")
    assert packs() == []


def is_up_again(kernel, killed: int) -> bool:
    process = kernel.provisioner and kernel.provisioner.process
    return bool(process) and process.pid != killed and kernel.ready.done()


async def test_what_a_kernel_refuses_to_pack(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run(FLOW + "\nimport threading\nlock = threading.Lock()\n@flow\ndef locked():\n    return lock")
        code, error = await browser.refused("POST", "deployments", registration(kernel.id, "locked"))
        assert (code, error.error) == (HTTPStatus.UNPROCESSABLE_ENTITY, "CannotPickle")
        assert "lock" in error.message
        code, error = await browser.refused("POST", "deployments", registration(kernel.id, "no_such"))
        assert (code, error.error) == (HTTPStatus.NOT_FOUND, "FlowNotFound")
    assert packs() == []
