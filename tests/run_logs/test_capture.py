"""Where the lines of a process go that runs flows or tasks of several Prefect servers."""

from __future__ import annotations

import os
import threading

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from satflow_ext.lease.start import STACK_API
from satflow_ext.run_logs.capture import CapturedLogs, LocalLogQueue, UploadingLogQueue

ONE, OTHER = "http://127.0.0.1:1/api", "http://127.0.0.1:2/api"


@pytest.fixture
def captured(tmp_path, monkeypatch):
    monkeypatch.setenv("SATFLOW_STATE_DIR", str(tmp_path))
    monkeypatch.delenv(STACK_API, raising=False)
    captured = CapturedLogs()
    yield captured
    for queue in captured._queues.values():
        if isinstance(queue, UploadingLogQueue):
            queue._finish_upload()


def queue_of(captured: CapturedLogs, url: str, auth: str | None = None):
    with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: auth}):
        return captured.instance()


def test_each_prefect_server_and_user_has_a_queue(captured):
    queues = [queue_of(captured, *where) for where in ((ONE,), (OTHER,), (ONE, "anna:x"), (ONE, "ben:y"))]
    assert len({id(each) for each in queues}) == 4
    assert [queue_of(captured, ONE), queue_of(captured, ONE, "ben:y")] == [queues[0], queues[3]]
    assert len({each._folder for each in queues}) == 4


def test_only_the_stacks_own_api_gets_its_lines_from_the_stack(captured, monkeypatch):
    monkeypatch.setenv(STACK_API, ONE)
    assert isinstance(queue_of(captured, ONE), LocalLogQueue)
    assert isinstance(queue_of(captured, OTHER), UploadingLogQueue)
    assert isinstance(queue_of(captured, ONE), LocalLogQueue)


def test_a_forked_child_leaves_uploading_to_its_parent(captured):
    """It would send the lines that its parent sends as well."""
    queue = queue_of(captured, ONE)
    captured._queues_lock.acquire()  # as by another thread while the process forks
    child = os.fork()
    if child == 0:
        try:
            with temporary_settings({PREFECT_API_URL: ONE}):
                same = captured.instance() is queue
            queue.drain(None)
            threads = [each.name for each in threading.enumerate()]
            os._exit(0 if same and "satflow-log-upload" not in threads else 1)
        finally:
            os._exit(2)
    captured._queues_lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
