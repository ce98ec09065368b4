"""Task runs in pages of changes, on a real Prefect server."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from prefect import flow, runtime, task, unmapped
from prefect.cache_policies import INPUTS
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Failed, Running

from satflow_ext import runs
from satflow_ext.errors import RunNotFound, TaskRunNotFound
from satflow_ext.models import TaskRunPage
from satflow_ext.runs import run_rows, task_runs
from satflow_ext.runs.task_runs import TaskRunBooks
from tests.eventually import eventually

NOW = datetime.now(timezone.utc)


class Browser:
    """A browser that keeps what the pages of one run contain."""

    def __init__(self, prefect, run_id: str) -> None:
        async def locate():
            return prefect.api

        self._books = TaskRunBooks(locate)
        self._run_id = run_id
        self.cursor: str | None = None
        self.states: dict[str, str] = {}

    def read(self) -> list[TaskRunPage]:
        """Read until there is nothing more."""
        pages = [self._read_page()]
        while pages[-1].more:
            pages.append(self._read_page())
        return pages

    def _read_page(self) -> TaskRunPage:
        page = asyncio.run(self._books.read_changes(self._run_id, self.cursor))
        self.cursor = page.cursor
        self.states = {} if page.reset else self.states
        self.states |= {one.name: one.state_type for one in page.task_runs}
        return page


@pytest.fixture(autouse=True)
def _no_interval(monkeypatch):
    monkeypatch.setattr(task_runs, "MIN_INTERVAL", 0.0)


def make_task_runs(
    prefect, run_id: str, *names: str, state: str = "RUNNING", seconds: float = 0, **fields
) -> list[str]:
    """Task runs of a flow run and their ids. SCHEDULED ones are expected to start that many seconds from now."""
    at = (NOW + timedelta(seconds=seconds)).isoformat()
    details = {"state_details": {"scheduled_time": at}} if state == "SCHEDULED" else {}

    async def make(client):
        replies = [
            await client.request(
                "POST",
                "/task_runs/",
                json={
                    "flow_run_id": run_id,
                    "task_key": "outer.<locals>.tile-3f2a",
                    "dynamic_key": str(uuid4()),
                    "name": name,
                    "state": {"type": state, **details},
                    **fields,
                },
            )
            for name in names
        ]
        return [reply.json()["id"] for reply in replies]

    return prefect.ask(make)


def set_state(prefect, task_run_id: str, state: str, **fields) -> None:
    async def change(client):
        body = {"state": {"type": state, **fields}, "force": True}
        await client.request("POST", f"/task_runs/{task_run_id}/set_state", json=body)

    prefect.ask(change)


def end_run(prefect, run_id: str) -> None:
    set_run_state(prefect, run_id, Completed())


def set_run_state(prefect, run_id: str, state: State) -> None:
    async def change(client):
        await client.set_flow_run_state(UUID(run_id), state, force=True)

    prefect.ask(change)


def test_only_changes_follow_the_first_page(prefect):
    run_id = prefect.run()
    first, _ = make_task_runs(prefect, run_id, "tile-0", "tile-1", tags=["north"])
    browser = Browser(prefect, run_id)
    (page,) = browser.read()
    assert (page.reset, page.total, page.more) == (True, 2, False)
    one = page.task_runs[0]
    assert (one.name, one.task, one.state_type, one.tags, one.interrupted) == (
        "tile-0",
        "tile",
        "RUNNING",
        ("north",),
        False,
    )

    (page,) = browser.read()
    assert (page.reset, page.task_runs) == (False, ()), "a duration that grows is not a change"

    set_state(prefect, first, "COMPLETED")
    make_task_runs(prefect, run_id, "tile-2")
    (page,) = browser.read()
    assert sorted(one.name for one in page.task_runs) == ["tile-0", "tile-2"]
    assert browser.states == {"tile-0": "COMPLETED", "tile-1": "RUNNING", "tile-2": "RUNNING"}


def test_a_task_run_that_prefect_records_late_is_found(prefect, monkeypatch):
    """It is before others in the order, so that it moves them and is not on the next page."""
    monkeypatch.setattr(task_runs, "PAGE_SIZE", 3)
    run_id = prefect.run()
    for number in range(7):
        make_task_runs(prefect, run_id, f"tile-{number}", state="SCHEDULED", seconds=number)
    browser = Browser(prefect, run_id)
    browser.read()
    make_task_runs(prefect, run_id, "late-0", state="SCHEDULED", seconds=-5)
    make_task_runs(prefect, run_id, "late-1", state="SCHEDULED", seconds=2.5)
    browser.read()
    browser.read()
    assert len(browser.states) == 9


def test_many_task_runs_come_in_pages(prefect, monkeypatch):
    monkeypatch.setattr(task_runs, "PAGE_SIZE", 5)
    monkeypatch.setattr(task_runs, "PAGES_PER_READ", 2)
    monkeypatch.setattr(task_runs, "MAX_CHANGES", 4)
    run_id = prefect.run()
    names = [f"tile-{number}" for number in range(33)]
    make_task_runs(prefect, run_id, *names)
    browser = Browser(prefect, run_id)
    pages = browser.read()
    assert max(len(page.task_runs) for page in pages) == 4
    assert {page.total for page in pages} == {33}
    assert set(browser.states) == set(names)
    assert sum(len(page.task_runs) for page in pages) == 33, "none is sent twice"
    assert {one.name for one in asyncio.run(runs.list_task_runs(prefect.api, run_id))} == set(names)


def test_the_number_of_task_runs_is_limited(prefect, monkeypatch):
    monkeypatch.setattr(task_runs, "PAGE_SIZE", 5)
    monkeypatch.setattr(task_runs, "MAX_TASK_RUNS", 10)
    run_id = prefect.run()
    make_task_runs(prefect, run_id, *(f"tile-{number}" for number in range(23)), state="COMPLETED")
    browser = Browser(prefect, run_id)
    pages = browser.read()
    assert (len(browser.states), pages[-1].total) == (10, 23)


def test_the_cursor_of_another_server_starts_again(prefect):
    run_id = prefect.run()
    make_task_runs(prefect, run_id, "tile-0")
    browser = Browser(prefect, run_id)
    browser.cursor = f"{'0' * 16}:17"
    (page,) = browser.read()
    assert (page.reset, len(page.task_runs)) == (True, 1)


def test_task_runs_of_a_process_that_was_killed_are_interrupted(prefect, monkeypatch):
    """Their states never change; only the time since the end of the flow run does."""
    run_id = prefect.run()
    make_task_runs(prefect, run_id, "tile-0")
    browser = Browser(prefect, run_id)
    end_run(prefect, run_id)
    assert [one.interrupted for page in browser.read() for one in page.task_runs] == [False]
    monkeypatch.setattr(run_rows, "SUCCESS_LAG", timedelta(0))
    assert [one.interrupted for page in browser.read() for one in page.task_runs] == [True]
    assert [page.task_runs for page in browser.read()] == [()]


def test_task_runs_of_a_retried_run_follow(prefect, monkeypatch):
    """The tasks of a settled run are not read again, unless the run is retried."""
    monkeypatch.setattr(run_rows, "SUCCESS_LAG", timedelta(0))
    run_id = prefect.run()
    make_task_runs(prefect, run_id, "first-0", state="COMPLETED")
    end_run(prefect, run_id)
    browser = Browser(prefect, run_id)
    browser.read()
    make_task_runs(prefect, run_id, "late-0", state="COMPLETED")
    browser.read()
    assert set(browser.states) == {"first-0"}
    set_run_state(prefect, run_id, Running())
    browser.read()
    assert set(browser.states) == {"first-0", "late-0"}


def test_states_and_inputs_of_a_task_run(prefect):
    run_id = prefect.run()
    (source,) = make_task_runs(prefect, run_id, "load-0", state="COMPLETED")
    inputs = {
        "tiles": [{"input_type": "task_run", "id": source}],
        "count": [{"input_type": "constant", "type": "int"}],
        "empty": [],
    }
    (task_run,) = make_task_runs(prefect, run_id, "mosaic-0", task_inputs=inputs)
    set_state(prefect, task_run, "SCHEDULED", name="AwaitingRetry", message="No space.")
    set_state(prefect, task_run, "COMPLETED", name="Cached")
    detail = asyncio.run(runs.read_task_run(prefect.api, run_id, task_run))
    assert [(state.type, state.name, state.message) for state in detail.states] == [
        ("RUNNING", "Running", None),
        ("SCHEDULED", "AwaitingRetry", "No space."),
        ("COMPLETED", "Cached", None),
    ]
    assert [(one.name, one.task_runs, one.count) for one in detail.inputs] == [
        ("tiles", (source,), 1),
        ("count", (), 0),
    ]


def test_the_dependencies_of_a_real_run(prefect):
    """Of mapped tasks, tasks that wait, a task that another one calls with a part of a result, a cached task, and a nested flow.

    Parameters, constants and numbers that were returned are none: Prefect recognizes a result by the identity of the object.
    """

    @task
    def load(scene):
        return [scene, scene]

    @task(cache_policy=INPUTS, persist_result=True)
    def shared(scene):
        return scene

    @task
    def helper(value):
        return len(value)  # a result that contains the scene would be a later source of it

    @task
    def tile(number, factor):
        return helper([number, *factor])

    @task
    def mosaic(tiles, waited=None):
        return len(tiles)

    @flow
    def report(count):
        return count

    @flow
    def outer(scene="north"):
        factor = shared(shared([7]))
        tiles = tile.map(load(scene), factor=unmapped(factor))
        report(mosaic.submit(tiles, wait_for=[load.submit("south")]))
        return runtime.flow_run.id

    api = prefect.api
    with temporary_settings({PREFECT_API_URL: api.url, PREFECT_API_AUTH_STRING: api.auth_string}):
        run_id = outer()
    found = eventually(lambda: has_ended(asyncio.run(runs.list_task_runs(api, run_id)), 10), "the task runs")
    by_id = {each.id: each for each in found}
    sources = sorted((each.task, sorted(by_id[one].task for one in each.inputs)) for each in found)
    assert sources == [
        ("helper", ["load"]),
        ("helper", ["load"]),
        ("load", []),
        ("load", []),
        ("mosaic", ["load", "tile", "tile"]),
        ("report", ["mosaic"]),
        ("shared", []),
        ("shared", ["shared"]),
        ("tile", ["load", "shared"]),
        ("tile", ["load", "shared"]),
    ]
    callers = [by_id[each.caller].task for each in found if each.caller]
    assert callers == ["tile", "tile"]


def has_ended(task_runs, count: int):
    ended = all(each.state_type == "COMPLETED" for each in task_runs)
    return ended and len(task_runs) == count and task_runs


def test_the_number_of_inputs_is_limited(prefect, monkeypatch):
    """A task run that changes later keeps those that it has."""
    monkeypatch.setattr(task_runs, "MAX_INPUTS", 5)
    monkeypatch.setattr(task_runs, "MAX_SOURCES", 2)
    run_id = prefect.run()
    inputs = {"tiles": [{"input_type": "task_run", "id": str(uuid4())} for _ in range(4)]}
    first, _ = make_task_runs(prefect, run_id, "mosaic-0", "mosaic-1", task_inputs=inputs)
    browser = Browser(prefect, run_id)
    (page,) = browser.read()
    assert sorted((len(each.inputs), each.input_count) for each in page.task_runs) == [(2, 4), (4, 4)]
    before = {each.id: each.inputs for each in page.task_runs}
    set_state(prefect, first, "COMPLETED")
    (page,) = browser.read()
    assert {each.id: each.inputs for each in page.task_runs} == {first: before[first]}


def test_a_failed_task_has_the_names_of_its_inputs(prefect):
    run_id = prefect.run()
    (source,) = make_task_runs(prefect, run_id, "load-0", state="COMPLETED")
    inputs = {"tile": [{"input_type": "task_run", "id": source}]}
    (failed,) = make_task_runs(prefect, run_id, "mosaic-0", state="FAILED", task_inputs=inputs)
    make_task_runs(prefect, run_id, "other-0", state="FAILED")
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no'

    async def log_error(client):
        line = {"name": "prefect.task_runs", "level": 40, "message": text, "timestamp": NOW.isoformat()}
        await client.request("POST", "/logs/", json=[{**line, "flow_run_id": run_id, "task_run_id": failed}])

    prefect.ask(log_error)
    set_run_state(prefect, run_id, Failed())
    failure = asyncio.run(runs.read_run_detail(prefect.api, run_id)).failure
    assert failure is not None
    assert failure.task is not None
    assert failure.task.name == "mosaic-0"
    assert [(each.name, each.tasks) for each in failure.task.inputs] == [("tile", ("load-0",))]


@pytest.mark.parametrize("task_run_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_no_such_task_run(prefect, task_run_id):
    with pytest.raises(TaskRunNotFound):
        asyncio.run(runs.read_task_run(prefect.api, str(uuid4()), task_run_id))


def test_a_task_run_of_another_run(prefect):
    (task_run,) = make_task_runs(prefect, prefect.run(), "tile-0")
    with pytest.raises(TaskRunNotFound):
        asyncio.run(runs.read_task_run(prefect.api, prefect.run(), task_run))


def test_task_runs_of_no_run(prefect):
    with pytest.raises(RunNotFound):
        Browser(prefect, str(uuid4())).read()
