"""Captured inputs of failed tasks: each by itself, bounded, without credentials, and delivered by unpickling."""

from __future__ import annotations

import pickle
import threading
from types import SimpleNamespace

import pytest
from prefect.states import Failed
from pydantic import SecretStr

from satflow_ext.credentials import redacting_filter
from satflow_ext.run_logs import input_capture
from satflow_ext.run_logs.input_capture import MAX_INPUTS, MAX_TASKS, CapturedTask, InputCollector, capture_failed_task
from satflow_ext.runs.input_labels import KeptInputs, read_kept_inputs, read_version


def failed(number: int = 1, **inputs: object) -> SimpleNamespace:
    """What Prefect's engine of a failed task run has."""
    row = SimpleNamespace(id=f"t{number}", flow_run_id="f", name=f"task-{number}", task_inputs={})
    return SimpleNamespace(
        task_run=row, task=SimpleNamespace(task_key="task-1"), parameters=inputs, state=Failed(message="no")
    )


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> InputCollector:
    made = InputCollector(10_000)
    monkeypatch.setattr(input_capture, "_collector", made)
    return made


def capture(collector: InputCollector, **inputs: object) -> CapturedTask:
    capture_failed_task(failed(**inputs))
    (task,) = collector.take_tasks()
    return task


REASONS = {
    "pickle": threading.Lock(),
    "size": "x" * 20_000,
    "credential": SecretStr("x"),
    "secret": ["before hunter2-and-more after"],
}


@pytest.mark.parametrize("reason", REASONS)
def test_an_input_that_is_not_kept_does_not_affect_the_others(collector, monkeypatch, reason):
    monkeypatch.setenv("PASSWORD", "hunter2-and-more")
    monkeypatch.setenv(redacting_filter.NAMES_VARIABLE, "PASSWORD")
    before, it, after = capture(collector, before=1, it=REASONS[reason], after=(1, 2)).inputs
    assert (before.data, it.reason, it.data, after.reason) == (b"1", reason, b"", None)


@pytest.mark.parametrize("inputs", [{"api_key": "abc"}, {"x": "ghp_" + "a" * 36}, {"password": [1]}])
def test_credentials_are_not_kept(collector, inputs):
    assert [each.reason for each in capture(collector, **inputs).inputs] == ["credential"]


def test_bounds(collector):
    assert [each.reason for each in capture(collector, **{f"x{n}": n for n in range(MAX_INPUTS + 1)}).inputs][-2:] == [
        None,
        "number",
    ]
    for number in range(2, MAX_TASKS + 5):
        capture_failed_task(failed(number, x="y" * 1_000))
    tasks = collector.take_tasks()
    assert len(tasks) == MAX_TASKS - 1
    assert sum(len(each.data) for task in tasks for each in task.inputs) <= 10_000
    assert collector.room == 0


def test_a_state_of_another_process_delivers_its_inputs_once(monkeypatch):
    engine = failed(x=5)
    capture_failed_task(engine)
    assert "_satflow" not in engine.state.model_dump_json(), "no API receives them"
    sent = pickle.dumps(engine.state)
    collector = InputCollector(10_000)
    monkeypatch.setattr(input_capture, "_collector", collector)
    for _ in range(2):
        assert pickle.loads(sent).message == "no"
    (task,) = collector.take_tasks()
    assert (task.name, [each.data for each in task.inputs]) == ("task-1", [b"5"])


@pytest.mark.parametrize(
    "kept",
    [
        KeptInputs("my store", f"sha256:{'0' * 64}", {}),
        KeptInputs("local", f"sha256:{'0' * 64}", {"a": "size", "b": "secret"}),
        KeptInputs(None, None, {"*": "store"}),
        KeptInputs(None, None, {}),
    ],
)
def test_labels(kept):
    assert read_kept_inputs({"satflow.inputs.t": kept.label, "other": "none"}) == {"t": kept}
    assert kept.describe_reason("c") == ("the store did not accept it" if "*" in kept.not_kept else None)


@pytest.mark.parametrize("value", ["", "somewhere", "none without", 3, "local sha256:0", "none without a,b c"])
def test_other_labels_are_ignored(value):
    assert read_kept_inputs({"satflow.inputs.t": value}) == {}
    assert read_version({"satflow.version": value}) == (3 if value == 3 else None)
