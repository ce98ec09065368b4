"""Leases: one stack however many want it, and none when nobody does."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from satflow_ext import endpoints, lease
from satflow_ext.errors import StackFailed
from satflow_ext.lease.address import make_private_folder, socket_path
from satflow_ext.server.stack import StackManager
from satflow_ext.settings import Settings
from tests.eventually import eventually
from tests.stack.place import Place


def test_status_starts_nothing(light: Place, whole: Place) -> None:
    assert lease.read_status(whole.settings).state == "stopped"
    assert lease.read_report(light.settings) is None
    assert light.processes() == []


def test_a_second_lease_gets_the_same_stack(light: Place) -> None:
    with lease.acquire_lease(light.settings) as first, lease.acquire_lease(light.settings) as second:
        assert first.record == second.record
        report = lease.read_report(light.settings)
        assert report is not None
        assert report.leases == 2
    light.wait_gone()
    assert lease.read_report(light.settings) is None
    assert endpoints.read_record(light.settings) is None


def test_it_goes_on_while_one_lease_is_left(light: Place) -> None:
    first, second = lease.acquire_lease(light.settings), lease.acquire_lease(light.settings)
    first.close()
    assert second.record is not None
    assert not second.wait_lost(0.5)
    assert httpx.get(str(second.record.store_url), trust_env=False).status_code == 401
    second.close()
    light.wait_gone()


def test_it_stays_when_asked_until_it_is_stopped(light: Place) -> None:
    with lease.acquire_lease(light.settings, stay=True) as held:
        record = held.record
    with lease.acquire_lease(light.settings) as again:
        assert again.record == record
        assert lease.read_status(light.settings).stays
        assert lease.stop_stack(light.settings)
        assert again.wait_lost(5)
    light.wait_gone()
    assert not lease.stop_stack(light.settings)


def test_it_stays_although_another_lease_asked_for_what_does_not_start(light: Place) -> None:
    with lease.acquire_lease(light.settings, stay=True):
        pass
    (light.settings.state_dir / "prefect").write_text("in the way of the Prefect server's folder")
    with pytest.raises(StackFailed, match="prefect"):
        lease.acquire_lease(light.settings.model_copy(update={"prefect_api_url": None}))
    report = lease.read_report(light.settings)
    assert report is not None
    assert report.stays
    with lease.acquire_lease(light.settings) as held:
        assert held.record is not None
        assert held.record.stays


def test_who_gives_up_while_it_starts_waits_for_nothing_and_leaves_nothing(whole: Place) -> None:
    """As JupyterLab does that is closed at once, and as `satflow up` does at Ctrl-C."""

    async def close_at_once() -> None:
        manager = StackManager(lambda: whole.settings)
        asked = asyncio.create_task(manager.endpoints())
        while not await asyncio.to_thread(_leases, whole.settings):  # noqa: ASYNC110 - another process starts
            await asyncio.sleep(0.05)
        await manager.close()
        with pytest.raises(StackFailed, match="was cancelled"):
            await asked

    asyncio.run(close_at_once())
    whole.wait_gone()
    assert lease.read_status(whole.settings).state != "ready"


def test_who_gives_up_while_others_wait_leaves_no_stack_that_stays(whole: Place) -> None:
    """`satflow up --timeout` beside a JupyterLab that goes on waiting."""
    others: list[lease.Lease] = []
    waiting = threading.Thread(target=lambda: others.append(lease.acquire_lease(whole.settings)))
    waiting.start()
    eventually(lambda: _leases(whole.settings) == 1, "the first lease", seconds=60)
    eventually(lambda: lease.read_status(whole.settings).step, "the first step", seconds=60)
    with pytest.raises(StackFailed, match=r"not ready after 1\.5 s; its last step was: Starting the Prefect server"):
        lease.acquire_lease(whole.settings, stay=True, timeout=1.5)
    waiting.join()
    report = lease.read_report(whole.settings)
    assert report is not None
    assert (report.state, report.stays, report.leases) == ("ready", False, 1)
    others[0].close()
    whole.wait_gone()


def test_a_start_that_takes_long_shows_how_long(whole: Place) -> None:
    """The shown seconds are also what tells a waiting client that the supervisor lives."""
    steps: list[str] = []
    with lease.acquire_lease(whole.settings, on_step=steps.append):
        pass
    assert steps[0] == "Starting the local stack"
    told = r"Starting the Prefect (server|worker)( \((\d+ min )?\d+ s\))?"
    assert [step for step in steps[1:] if not re.fullmatch(told, step)] == []
    assert {step.split(" (")[0] for step in steps[1:]} == {"Starting the Prefect server", "Starting the Prefect worker"}
    assert len(set(steps)) == len(steps)  # each says something new


def test_a_supervisor_that_ends_at_once_is_not_started_for_ever(light: Place) -> None:
    (light.settings.runtime_dir / "stack.lock").mkdir(mode=0o700, parents=True)
    light.settings.runtime_dir.chmod(0o700)
    with pytest.raises(StackFailed, match=r"ends at each start.*stack\.log"):
        lease.acquire_lease(light.settings)
    assert "IsADirectoryError" in (light.settings.state_dir / "logs" / "stack.log").read_text()


def test_a_server_whose_attempt_failed_uses_what_another_process_started(light: Place, answering: str) -> None:
    light.settings = light.settings.model_copy(update={"prefect_api_url": answering})
    blocked = light.settings.state_dir / "store"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way of the store's folder")

    async def fail_then_follow() -> None:
        manager = StackManager(lambda: light.settings)
        for _ in range(2):
            with pytest.raises(StackFailed):
                await manager.endpoints()
            assert (await manager.status()).state == "failed"
        blocked.unlink()
        holder = light.start_holder()
        assert holder.stdout is not None
        assert await asyncio.to_thread(holder.stdout.readline)
        assert (await manager.status()).state == "ready"
        assert (await manager.endpoints()).prefect.url == answering
        await manager.close()

    asyncio.run(fail_then_follow())


@pytest.fixture
def answering() -> Iterator[str]:
    """The address of a server that answers where the health of a Prefect API is asked for."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


def test_the_lease_ends_with_a_killed_holder(light: Place) -> None:
    holder = light.start_holder()
    assert holder.stdout is not None
    holder.stdout.readline()
    assert light.processes() != []
    holder.kill()
    light.wait_gone()


def test_it_ends_soon_where_its_starter_was_killed_before_it_had_a_lease(light: Place) -> None:
    code = """
import os
from satflow_ext.lease.start import SupervisorStarter
from satflow_ext.settings import load_settings
starter = SupervisorStarter(load_settings())
starter.start_supervisor(print)
starter.start_supervisor(print)
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], env=light.environment, check=False, stdout=subprocess.DEVNULL)
    eventually(
        lambda: light.processes() == [] and light.settings.runtime_dir.exists(), "the supervisor's end", seconds=10
    )
    assert "supervisor" in (light.settings.state_dir / "logs" / "stack.log").read_text()


def test_a_child_of_the_holder_does_not_keep_the_lease(light: Place) -> None:
    """Neither one that was started, nor one that was forked and lives on."""
    code = """
import os, subprocess, sys, time
from satflow_ext import lease
from satflow_ext.settings import load_settings
held = lease.acquire_lease(load_settings())
started = subprocess.Popen(["sleep", "60"], close_fds=False)
forked = os.fork()
if not forked:
    time.sleep(60)
print(started.pid, forked, flush=True)
os.kill(os.getpid(), 9)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], env=light.environment, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    children = [int(pid) for pid in holder.stdout.readline().split()]
    try:
        light.wait_gone()
        for child in children:
            os.kill(child, 0)  # they do live on
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        holder.wait()
        holder.stdout.close()


def test_of_twenty_racing_starters_one_starts_it(light: Place) -> None:
    holders = [light.start_holder() for _ in range(20)]
    supervisors = {holder.stdout.readline() for holder in holders if holder.stdout is not None}
    assert len(supervisors) == 1
    running = [each for each in light.processes() if "satflow_ext.stack" in each.cmdline()]
    assert [str(each.pid) for each in running] == [pid.strip() for pid in supervisors]
    for holder in holders:
        holder.kill()
    light.wait_gone()


def test_a_lease_asked_for_while_the_stack_ends_starts_it_anew(light: Place) -> None:
    for _ in range(5):
        with lease.acquire_lease(light.settings) as held:
            assert held.record is not None
            assert httpx.get(str(held.record.store_url), trust_env=False).status_code == 401


def test_a_service_that_dies_is_started_again_at_the_same_address(light: Place) -> None:
    with lease.acquire_lease(light.settings) as held:
        assert held.record is not None
        report = lease.read_report(light.settings)
        assert report is not None
        pid = report.services[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: _restarts(light.settings) == 1, "the store to be started again", seconds=20)
        assert httpx.get(str(held.record.store_url), trust_env=False).status_code == 401
        assert endpoints.read_record(light.settings) == held.record


def test_folders_and_files_are_private(light: Place) -> None:
    with lease.acquire_lease(light.settings):
        for root in (light.settings.runtime_dir, light.settings.state_dir):
            open_ones = [path for path in (root, *root.rglob("*")) if path.lstat().st_mode & 0o077]
            assert open_ones == []
        assert stat.S_ISSOCK(socket_path(light.settings).stat().st_mode)


def test_a_long_runtime_folder_has_its_socket_elsewhere(light: Place) -> None:
    long = light.settings.model_copy(update={"runtime_dir": light.settings.runtime_dir / ("x" * 120)})
    with lease.acquire_lease(long) as held:
        assert held.record is not None
        assert socket_path(long).parent.stat().st_mode & 0o777 == 0o700
        assert lease.stop_stack(long)
    eventually(lambda: lease.read_report(long) is None, "the stack to end", seconds=5)
    socket_path(long).parent.rmdir()


def test_a_folder_that_is_a_link_is_refused(light: Place) -> None:
    link = light.settings.runtime_dir.parent / "link"
    link.symlink_to("/tmp")
    with pytest.raises(StackFailed, match="is not a folder that you own"):
        make_private_folder(link)


def test_a_stack_that_cannot_start_says_why(light: Place) -> None:
    light.settings.state_dir.mkdir(mode=0o700)
    (light.settings.state_dir / "store").mkdir(mode=0o700)
    (light.settings.state_dir / "store" / "sha256").write_text("in the way")
    with pytest.raises(StackFailed, match=r"store ended with code 1.*store\.log"):
        lease.acquire_lease(light.settings)
    eventually(lambda: lease.read_report(light.settings) is None, "the stack to end", seconds=5)
    failed = lease.read_status(light.settings.model_copy(update={"prefect_api_url": None}))
    assert failed.state == "failed"
    assert "store ended with code 1" in (failed.step or "")


def test_a_stack_whose_record_cannot_be_written_says_so(light: Place) -> None:
    """Rather than to hang up, for then whoever asked starts the next supervisor, and the next."""
    endpoints.record_path(light.settings).mkdir(mode=0o700, parents=True)
    with pytest.raises(StackFailed, match=r"Is a directory.*stack\.json"):
        lease.acquire_lease(light.settings)
    endpoints.record_path(light.settings).rmdir()


def _leases(settings: Settings) -> int:
    report = lease.read_report(settings)
    return report.leases if report is not None else 0


def _restarts(settings: Settings) -> int:
    report = lease.read_report(settings)
    ready = report is not None and report.services[0].state == "ready"
    return report.services[0].restarts if report is not None and ready else 0
