"""The failure of a run from its log: frames of libraries, the failed task, and tracebacks of other processes."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from satflow_ext.deployments.versions import add_code
from satflow_ext.models import Cell, Source, SourceFile
from satflow_ext.runs.failure import MAX_FRAMES, find_cell_hash, find_failure, find_package
from satflow_ext.runs.input_labels import KeptInputs


@dataclass(frozen=True)
class Entry:
    """A log line."""

    message: str
    task_run_id: UUID | None = None


def raised(*frames: str, error: str = "ValueError: no") -> str:
    lines = [f'  File "{file}", line {number}, in f{number}\n' for number, file in enumerate(frames, start=1)]
    return f"Encountered exception\nTraceback (most recent call last):\n{''.join(lines)}{error}"


def task_run(name: str, **inputs: list[UUID]) -> SimpleNamespace:
    given = {key: [SimpleNamespace(input_type="task_run", id=each) for each in ids] for key, ids in inputs.items()}
    return SimpleNamespace(id=uuid4(), name=name, task_inputs={**given, "__parents__": []})


@pytest.mark.parametrize(
    ("file", "package"),
    [
        ("/tmp/ipykernel_12/34567.py", None),
        (r"C:\Users\me\AppData\Local\Temp\ipykernel_12\34567.py", None),
        ("/tmp/xpython_12/34567.py", None),
        ("34567.py", None),
        ("<timed exec>", None),
        ("/home/me/project/tiles.py", None),
        ("/home/me/library/tiles.py", None),
        ("/home/me/Lib/tiles.py", None),
        ("/run/satflow/run-1/satflow_flow.py", "satflow_ext"),
        ("/v/lib/python3.11/site-packages/prefect/task_engine.py", "prefect"),
        (r"C:\v\Lib\site-packages\anyio\core.py", "anyio"),
        ("/usr/lib/python3/dist-packages/six.py", "six"),
        ("/usr/lib/python3.11/concurrent/futures/_base.py", "python"),
        (r"C:\Python311\Lib\asyncio\runners.py", "python"),
        ("<frozen importlib._bootstrap>", "python"),
        ("/home/me/satflow/satflow_ext/runtime/load.py", "satflow_ext"),
        ("task_engine.py", ""),
    ],
)
def test_frames_of_libraries(file, package):
    assert find_package(file) == package


@pytest.mark.parametrize(
    ("file", "hashed"),
    [
        ("/tmp/ipykernel_12/34567.py", "34567"),
        (r"C:\Temp\ipykernel_12\34567.py", "34567"),
        ("34567.py", "34567"),
        ("/home/me/34567.py", None),
        ("/home/me/ipykernel_x/34567.py", None),
        ("12345678901.py", None),
        ("2026.py", None),
        ("<timed exec>", None),
    ],
)
def test_hashes_of_cells(file, hashed):
    assert find_cell_hash(file) == hashed


def test_the_failed_task_is_the_first_that_raised_what_ended_the_flow():
    load, first, second, other = task_run("load-0"), task_run("first-0"), task_run("second-0"), task_run("other-0")
    first.task_inputs["table"] = [SimpleNamespace(input_type="task_run", id=load.id)]
    errors = [
        Entry("Finished in state Failed()"),
        Entry(raised("a.py")),
        Entry(raised("a.py"), second.id),
        Entry(raised("a.py"), first.id),
        Entry(raised("a.py", error="KeyError: 1"), other.id),
    ]
    failure = find_failure(errors, "it failed", [load, first, second, other])
    assert failure.cause == "ValueError: no"
    assert failure.task.name == "first-0"
    assert [(each.name, each.value, each.tasks) for each in failure.task.inputs] == [("table", None, ("load-0",))]


def test_of_tasks_that_failed_alike_one_with_kept_inputs_is_named():
    rows = [task_run(name) for name in ("first", "second", "third")]
    errors = [Entry(raised("flow.py")), *(Entry(raised("task.py"), row.id) for row in reversed(rows))]
    kept = {
        str(rows[0].id): KeptInputs(None, None, {"x": "size"}),
        str(rows[1].id): KeptInputs("local", "sha256:" + "0" * 64, {}),
    }
    assert find_failure(errors, None, rows).task.name == "first"
    assert find_failure(errors, None, rows, kept).task.name == "second"


def test_a_task_whose_exception_the_flow_handled_is_not_named():
    handled = task_run("handled-0")
    errors = [Entry(raised("a.py", error="TypeError: own")), Entry(raised("a.py"), handled.id)]
    assert find_failure(errors, None, [handled]).task is None


def test_the_frames_of_a_task_in_another_process_follow_those_of_the_flow():
    row = task_run("far-0")
    in_task = f"{raised('c.py', error='KeyError: 1')}\n\nThe above exception was the direct cause of the following exception:\n\n"
    in_task += raised("a.py", "b.py").partition("\n")[2]
    failure = find_failure([Entry(raised("flow.py")), Entry(in_task, row.id)], None, [row])
    assert [each.relation for each in failure.exceptions] == ["cause", None]
    assert [frame.file for frame in failure.exceptions[-1].frames] == ["flow.py", "a.py", "b.py"]
    assert "flow.py" in failure.traceback
    assert "KeyError: 1" in failure.traceback


def test_a_flow_that_returned_a_failed_state_has_the_traceback_of_its_task():
    row = task_run("only-0")
    failure = find_failure([Entry(raised("a.py"), row.id)], "1/2 states failed.", [row])
    assert (failure.cause, failure.task.name) == ("ValueError: no", "only-0")


def test_a_task_that_prefect_has_not_recorded_yet():
    assert find_failure([Entry(raised("a.py"), uuid4())], None, []).task is None


def test_a_deep_recursion_is_shortened():
    failure = find_failure([Entry(raised(*["a.py"] * 5_000))], None)
    frames = failure.exceptions[0].frames
    assert (len(frames), frames[0].line, frames[-1].line) == (MAX_FRAMES, 1, 5_000)


@pytest.mark.parametrize("name", ["/tmp/ipykernel_9/34567.py", "34567.py"])
def test_code_of_the_version_is_shown_where_the_log_has_none(name):
    """At the levels below "everything", a log has neither folders nor code."""
    cell = Cell(file="/tmp/ipykernel_7/34567.py", number=4, text="def f1():\n    pass")
    files = (
        SourceFile(path="helpers/tiles.py", text="\ndef f2():\n    return 1"),
        SourceFile(path="core.py", text="x"),
    )
    source = Source(notebook="/home/me/a.ipynb", commit=None, cells=(cell,), files=files)
    failure = find_failure([Entry(raised(name, "tiles.py", "core.py"))], None)
    shown = add_code(failure, SimpleNamespace(version=3, source=source))
    assert (shown.version, shown.notebook) == (3, "/home/me/a.ipynb")
    assert [(each.hash, each.number) for each in shown.cells] == [("34567", 4)]
    frames = shown.exceptions[0].frames
    assert [(frame.code, frame.package) for frame in frames] == [("def f1():", None), ("def f2():", None), (None, "")]


def test_a_cell_of_a_kernel_with_names_of_its_own():
    cell = Cell(file="/tmp/cell.py", number=4, text="def f1():\n    pass")
    source = Source(notebook=None, commit=None, cells=(cell,), files=())
    failure = find_failure([Entry(raised("/tmp/cell.py"))], None)
    shown = add_code(failure, SimpleNamespace(version=1, source=source))
    assert shown.exceptions[0].frames[0].cell == shown.cells[0].hash == "cell.py"
