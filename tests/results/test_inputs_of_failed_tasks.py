"""The inputs of failed tasks of real runs, captured where the task ran, and read back from the store."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prefect import flow, task

from satflow_ext.errors import ContentRefused, ResultMissing
from satflow_ext.keys import Keyring
from satflow_ext.models import ExecutorChoice, FailedTask
from satflow_ext.results.failed_tasks import FailedTaskRun, UnreadableInput, verify_inputs
from satflow_ext.session import OpenConnection, Session
from tests.eventually import eventually
from tests.flow_runs import ended, log_of, start_run

if TYPE_CHECKING:
    from tests.local_stack import Stack

SECRET = f"secret-{secrets.token_hex(8)}"


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


@task
def load(rows: int) -> Any:
    import pandas as pd

    return pd.DataFrame({"a": list(range(rows))})


@task
def divide(number: int, frame: Any, point: Any, lines: Any, api_key: str, large: str, *, by: int = 0) -> float:
    return number / by


@task
def divide_in_lock(number: int, lock: Any) -> float:
    return number / 0


@task
async def divide_later(number: int) -> float:
    return number / 0


@task
def call_inner(outer: int) -> float:
    return divide_in_lock(outer + 1, None)


@flow
def fails(kind: str) -> Any:
    import os
    import threading

    if kind == "submitted":
        text = ["before", os.environ["A_TOKEN"]]
        return divide.submit(7, load.submit(3), Point(5), text, "abcdef-123456", "x" * 300_000).result()
    if kind == "mapped":
        return divide_later.map([1, 2, 3]).result()
    if kind == "called":
        return divide_in_lock(4, threading.Lock())
    if kind == "inner":
        return call_inner.submit(1).result()
    if kind == "returned":
        return divide_later.submit(9)
    if kind == "many":
        many = divide_later.map(range(30))
        many.wait()
        return many.result()
    raise ValueError(kind)


@pytest.fixture
def session(stack: Stack) -> Session:
    return Session(OpenConnection(stack.settings, stack.endpoints))


@pytest.fixture
def small_inputs(tmp_path: Path, settings_file: Path) -> Path:
    """The settings file of runs: small inputs, and one secret."""
    (tmp_path / "A_TOKEN").write_text(SECRET)
    settings_file.write_text(f'secrets_dir = "{tmp_path}"\ninputs_limit = 100000\n')
    return settings_file


def tasks_of(session: Session, run_id: str) -> dict[str, FailedTaskRun]:
    failed = asyncio.run(session.runs.read_failed_tasks(run_id))
    assert asyncio.run(session.runs.read_run(run_id)).version == 1
    return {each.id: each for each in failed}


def read_cause(session: Session, run_id: str) -> FailedTask:
    """The task that ended a run; Prefect records task runs some time after their log."""

    def read() -> FailedTask | None:
        failure = asyncio.run(session.runs.read_detail(run_id)).failure
        return failure.task if failure else None

    return eventually(read, "the record of the failed task", 300)


def inputs_of(session: Session, run_id: str, failed: FailedTaskRun) -> dict[str, Any]:
    found = asyncio.run(session.runs.download_inputs(run_id, failed))
    return {} if found is None else dict(found.read_inputs())


@pytest.mark.parametrize("executor", ["threads", "processes", "dask-local", "dask-client"])
def test_inputs_are_kept_wherever_the_task_ran(stack, session, small_inputs, registered, executor):
    deployment = registered(
        fails, name=f"inputs-{executor}", executor=ExecutorChoice(name=executor), secrets=("A_TOKEN",)
    ).deployment
    kinds = ("submitted", "mapped", "inner", "returned")
    runs = {kind: start_run(stack, deployment.id, kind=kind) for kind in kinds}
    details = {kind: ended(stack, run_id) for kind, run_id in runs.items()}
    assert {each.run.state_type for each in details.values()} == {"FAILED"}

    causes = {kind: detail.failure and detail.failure.cause for kind, detail in details.items()}
    assert set(causes.values()) == {"ZeroDivisionError: division by zero"}, causes
    (failed,) = tasks_of(session, runs["submitted"]).values()
    assert dict(failed.kept.not_kept) == {"lines": "secret", "api_key": "credential", "large": "size"}
    found = inputs_of(session, runs["submitted"], failed)
    assert (found["number"], found["by"], found["point"].x) == (7, 0, 5)
    assert list(found["frame"]["a"]) == [0, 1, 2], "a future is the value that the task received"
    assert found.keys() == {"number", "frame", "point", "by"}
    log = log_of(stack, runs["submitted"])
    assert "were not kept: lines (it contains the value of a secret that the flow declares)" in log
    files = [file for file in (stack.settings.state_dir / "store").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]

    ended_by = tasks_of(session, runs["mapped"])[read_cause(session, runs["mapped"]).id]
    assert inputs_of(session, runs["mapped"], ended_by).keys() == {"number"}, "others may still have been running"
    inner = [inputs_of(session, runs["inner"], each) for each in tasks_of(session, runs["inner"]).values()]
    assert {"outer": 1} in inner
    assert {"number": 2, "lock": None} in inner
    (returned,) = tasks_of(session, runs["returned"]).values()
    assert inputs_of(session, runs["returned"], returned) == {"number": 9}


def test_what_cannot_be_kept_is_named_and_nothing_is_kept_of_other_failures(stack, session, small_inputs, registered):
    deployment = registered(fails, secrets=("A_TOKEN",)).deployment
    runs = {kind: start_run(stack, deployment.id, kind=kind) for kind in ("called", "many", "no task")}
    for run_id in runs.values():
        ended(stack, run_id)
    (failed,) = tasks_of(session, runs["called"]).values()
    assert dict(failed.kept.not_kept) == {"lock": "pickle"}
    assert inputs_of(session, runs["called"], failed) == {"number": 4}
    assert len(tasks_of(session, runs["many"])) == 20
    assert tasks_of(session, runs["no task"]) == {}

    _check_foreign_documents(stack, session, runs["called"], failed)
    small_inputs.write_text("inputs_limit = 0\n")
    run_id = start_run(stack, deployment.id, kind="mapped")
    ended(stack, run_id)
    assert asyncio.run(session.runs.read_failed_tasks(run_id)) == ()


def _check_foreign_documents(stack: Stack, session: Session, run_id: str, failed: FailedTaskRun) -> None:
    """Inputs are those of one task run of one run, and a pickle needs a trusted key."""
    assert failed.kept.digest is not None
    (file,) = (stack.settings.state_dir / "store").rglob(failed.kept.digest.removeprefix("sha256:"))
    content = file.read_bytes()
    with pytest.raises(ContentRefused, match="is that of task run"):
        verify_inputs(content, run_id, "other", stack.settings)
    with pytest.raises(ContentRefused, match=f"is that of run {run_id}"):
        verify_inputs(content, "other", failed.id, stack.settings)
    without = stack.settings.model_copy(update={"state_dir": stack.settings.state_dir / "elsewhere"})
    found = verify_inputs(content, run_id, failed.id, without)
    assert found.key is None
    assert Keyring(without).find_signer() is None
    assert dict(found.read_inputs()) == {"number": 4}, "data may be read from any source"
    file.unlink()
    with pytest.raises(ResultMissing, match="no longer has the inputs of task run"):
        inputs_of(session, run_id, failed)
    assert UnreadableInput("a") == UnreadableInput("a")
