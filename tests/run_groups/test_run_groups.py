"""A backfill on the local stack, from Python, a notebook and a terminal: real runs, failures, results."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prefect import flow

from satflow_ext.errors import InvalidParameter, RunGroupTaken
from satflow_ext.models import RunGroup, RunGroupRequest
from satflow_ext.session import OpenConnection, Session
from tests.eventually import eventually
from tests.satflow_command import satflow

if TYPE_CHECKING:
    from satflow_ext.session import RunGroups
    from tests.local_stack import Stack

DAYS = "2026-01-01..2026-01-06"
CELL = """
import datetime as dt, pathlib
from prefect import flow
@flow(name="backfilled")
def main(day: dt.date, region: str = "a", fixed: str = "missing"):
    if day.day % 3 == 0 and not pathlib.Path(fixed).exists(): raise ValueError(f"no data for {day}")
    return {"day": day, "region": region} if region == "record" else day.day / 2
"""


@flow
def waits(n: int, until: str) -> int:
    """Return the number when the file exists."""
    import pathlib
    import time

    while not pathlib.Path(until).exists():
        time.sleep(0.05)
    return n


@pytest.fixture
def groups(stack: Stack) -> RunGroups:
    return Session(OpenConnection(stack.settings, stack.endpoints)).run_groups


def read(groups: RunGroups, name: str) -> RunGroup:
    return asyncio.run(groups.read_group(name))


def test_the_stack_continues_a_group_without_its_process(groups: RunGroups, registered, name: str, tmp_path: Path):
    go = tmp_path / "go"
    registered(waits)
    over = ("--over", "n=1..5", "--param", f"until={go}", "--concurrency", 2, "--newest-first", "--group", name)
    planned = satflow("run", name, *over, "--dry-run")
    assert f"Run group:  {name} (new)\n" in planned.stdout, planned
    assert "5 of 5 points" in planned.stdout
    assert satflow("run-groups", name).stderr.startswith("satflow: This machine has no run group")

    started = satflow("run", name, *over)
    assert f"run group {name}: " in started.stdout, started.stderr
    assert "0 of 5 completed, 2 scheduled, 3 waiting" in started.stdout
    assert read(groups, name).counts["WAITING"] == 3
    points = asyncio.run(groups.read_points(read(groups, name).id, limit=10))
    assert [point.run_id is not None for point in points] == [False, False, False, True, True]
    go.touch()
    ended = satflow("run-groups", name, "--follow", "--json")
    assert json.loads(ended.stdout)["group"]["state"] == "completed", ended.stderr
    assert "5 of 5 completed" in satflow("run-groups").stdout
    again = satflow("run", name, *over, "--follow")
    assert (again.returncode, "5 of 5 completed" in again.stdout) == (0, True)


def test_cancel_all(groups: RunGroups, registered, name: str, tmp_path: Path) -> None:
    registered(waits)
    wanted = RunGroupRequest(
        deployment=name, name=name, over={"n": "1..4"}, parameters={"until": str(tmp_path / "never")}
    )
    group = asyncio.run(groups.start(wanted.model_copy(update={"concurrency": 1})))
    eventually(lambda: read(groups, name).counts.get("RUNNING"), "the first run to start", seconds=300)
    asyncio.run(groups.cancel(name))
    ended = asyncio.run(groups.wait_for_end(group.id))
    assert (ended.state, ended.counts) == ("cancelled", {"CANCELLED": 4})
    assert asyncio.run(groups.plan(wanted)).runs == 4, "cancelled points have no outcome, so they are missing ones"


@pytest.fixture(scope="module")
def notebook(module_kernel, stack):
    module_kernel.run("%load_ext satflow_ext\nimport satflow_ext, satflow_ext.errors, pandas as pd")
    module_kernel.run(CELL)
    module_kernel.run("%register_flow main")
    return module_kernel


def shown(published: list[dict]) -> list[str]:
    kinds = ("display_data", "update_display_data")
    return [each["content"]["data"]["text/plain"] for each in published if each["msg_type"] in kinds]


def test_a_backfill_in_a_notebook_is_repaired_and_returns_a_table(notebook, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    arguments = (
        f"'backfilled', {{'day': pd.date_range('2026-01-01', '2026-01-06')}}, parameters={{'fixed': {str(fixed)!r}}}"
    )
    plan = shown(notebook.run(f"satflow_ext.run_many({arguments}, dry_run=True)"))
    assert plan == []
    assert "6 of 6 points" in notebook.value(f"satflow_ext.run_many({arguments}, dry_run=True)")
    displayed = shown(notebook.run(f"group = satflow_ext.run_many({arguments}, name='january', concurrency=3)\ngroup"))
    assert displayed[0].startswith("Run group:  january\nDeployment: backfilled/backfilled\nState:      running")
    last = shown(notebook.run("group.wait()"))[-1]
    assert "4 of 6 completed, 2 failed" in last
    assert "day=2026-01-03: " in last
    assert "no data for 2026-01-03" in last
    assert notebook.value("[point.parameters['day'] for point in group.failed]") == "['2026-01-03', '2026-01-06']"

    fixed.touch()
    assert notebook.value("satflow_ext.get_run_group('january').retry_failed().wait().state") == "'completed'"
    notebook.run("table = group.results()")
    assert notebook.value("list(table.columns)") == "['day', 'fixed', 'state', 'duration', 'run_id', 'result', 'error']"
    assert (
        notebook.value("table['result'].tolist(), str(table['result'].dtype)")
        == "([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], 'float64')"
    )
    assert notebook.value("bool((table['duration'] > 0).all() and table['error'].isna().all())") == "True"


def test_a_group_is_continued_by_its_name(notebook) -> None:
    line = "%run_flow backfilled --over day=2026-02-01..2026-02-03 --over region=a,record --group february --follow"
    notebook.run(f"group = {line}")
    assert notebook.value("group.counts") == "{'COMPLETED': 4, 'FAILED': 2}"
    results = notebook.value("group.results()['result'].tolist()[:2]")
    assert results == "[0.5, {'day': datetime.date(2026, 2, 1), 'region': 'record'}]"
    days = "{'day': '2026-02-01..2026-02-04', 'region': ['a', 'record']}"
    plans = {only: f"satflow_ext.run_many('backfilled', {days}, name='february', only={only!r}, dry_run=True).plan.runs"
             for only in ("missing", "failed", "all")}  # fmt: skip
    assert {only: notebook.value(plan) for only, plan in plans.items()} == {"missing": "2", "failed": "4", "all": "8"}


MISTAKES = {
    "'backfilled', {'day': ['2026-01-01', 'soon']}": (
        "InvalidParameter",
        "Point 2 (day=soon): Parameter 'day' must be a date",
    ),
    "'backfilled', {'day': '2026-02-30..2026-03-01'}": ("InvalidParameter", "is not a valid date"),
    "'backfilled', {'day': 5}": ("InvalidParameter", "The values of parameter 'day' are of type int."),
    "'backfilled', 'day'": ("InvalidParameter", "`over` is of type str."),
    "'backfilled', [1]": ("InvalidParameter", "Point 1 is of type int."),
    "'backfilled', [{'day': object()}]": ("InvalidParameter", "Point 1: Parameter 'day' is of type object"),
    "'backfilled', {'region': __import__('itertools').count()}": ("ParametersTooLarge", "These are 10,001 points"),
    "'backfilled', {'day': []}": ("InvalidParameter", "No values are given"),
    "'backfilled', {'region': ['a']}": ("InvalidParameter", "Parameter 'day' needs a value"),
    "'backfilled', {'day': '2026-01-01'}, concurrency=0": ("BadRequest", "concurrency"),
    "'backfilled', {'day': '2026-01-01'}, only='some'": ("BadRequest", "only"),
    "'backfilled', {'day': '2026-01-01'}, name='a/b'": ("BadRequest", "name"),
    "'nowhere', {'day': '2026-01-01'}": ("DeploymentNotFound", "No deployment is called 'nowhere'"),
}


def test_mistakes_start_nothing(notebook) -> None:
    before = notebook.value("satflow_ext.get_run('backfilled').id")
    for arguments, (kind, message) in MISTAKES.items():
        reply, _ = notebook.send(f"satflow_ext.run_many({arguments})")
        assert (reply.get("ename"), message in reply.get("evalue", "")) == (kind, True), (arguments, reply)
    reply, _ = notebook.send("satflow_ext.get_run_group('never')")
    assert reply["ename"] == "RunGroupNotFound"
    assert notebook.value("satflow_ext.get_run('backfilled').id") == before


def test_a_name_of_another_deployment_is_refused(groups: RunGroups, registered, name: str, notebook) -> None:
    registered(waits)
    notebook.run("satflow_ext.run_many('backfilled', {'day': ['2026-05-01']}, name='taken').wait()")
    with pytest.raises(RunGroupTaken, match="belongs to deployment backfilled/backfilled"):
        asyncio.run(
            groups.plan(RunGroupRequest(deployment=name, name="taken", over={"n": "1"}, parameters={"until": ""}))
        )
    with pytest.raises(InvalidParameter, match=r"Point 1 \(n=x\)"):
        asyncio.run(groups.plan(RunGroupRequest(deployment=name, over={"n": "x"}, parameters={"until": ""})))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "x", "--concurrency", "3"), "--concurrency is an option of run groups. Add --over NAME=VALUES"),
        (("run", "x", "--dry-run"), "--dry-run is an option of run groups."),
        (("run", "x", "--over", "day"), "lacks a name or a value. Write --over name=value."),
        (("run", "x", "--over", "n=1", "--over", "n=2"), "--over n=… is given twice."),
        (("run", "x", "--over", "n=1", "--concurrency", "1000"), "concurrency: it must be at most 100"),
        (("run-groups", "--cancel"), "The command names no run group."),
    ],
)
@pytest.mark.quick
def test_wrong_commands(words: tuple[str, ...], message: str) -> None:
    done = satflow(*words)
    assert (done.returncode, message in done.stderr) == (1, True), done.stderr
