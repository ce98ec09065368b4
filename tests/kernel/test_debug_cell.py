"""The text of the cell of a failed run: nothing that a client of the Prefect API can write becomes code."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import flow, task

from satflow_ext.errors import InputNotKept
from satflow_ext.kernel.debug_run import DebugRun, find_task

HOSTILE = "a'];__import__('os').abort();\"\n__import__('os').abort() #"


@task
def reads(number: int, *rest: int, name: str = "", **more: int) -> None: ...


@task
async def waits(number: int) -> None: ...


@task
def yields(number: int) -> Any:
    yield number


@flow
def main() -> None:
    reads(1)
    yields(2)


def made(**fields: Any) -> DebugRun:
    run: Any = SimpleNamespace(name=fields.pop("run_name", "calm-fox"))
    manifest: Any = SimpleNamespace(full_name="tiles/tiles", version=3)
    return DebugRun(run, main, {}, manifest, **fields)


CALLS = {
    reads: "debug.task.fn(debug.inputs['number'], *debug.inputs['rest'], name=debug.inputs['name'], **debug.inputs['more'])",
    waits: "await debug.task.fn(**debug.inputs)",
    yields: "list(debug.task.fn(**debug.inputs))",
    None: "debug.flow(**debug.parameters)",
}


@pytest.mark.parametrize("called", CALLS)
def test_calls(called):
    inputs = dict.fromkeys(("number", "rest", "name", "more"))
    assert made(task=called, task_name="t", inputs=inputs).cell_text().splitlines()[-1] == CALLS[called]


def test_hostile_names_are_comments_and_literals():
    text = made(
        run_name=HOSTILE, task=waits, task_name=HOSTILE, not_kept={HOSTILE: HOSTILE}, notes=[HOSTILE]
    ).cell_text()
    tree = ast.parse(text.replace("await ", ""))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names == {"debug"}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert sorted(ast.unparse(call.func) for call in calls) == ["debug.missing", "debug.task.fn"]


def test_a_missing_input_raises_its_reason():
    with pytest.raises(InputNotKept, match="The input 'lock' of t was not kept: it cannot be pickled"):
        made(task_name="t", not_kept={"lock": "it cannot be pickled"}).missing("lock")


def test_the_task_is_found_by_its_key_or_its_only_name():
    assert find_task(main, reads.task_key, None) is reads
    assert find_task(main, None, "yields") is yields
    assert find_task(main, "reads-00000000", "reads") is None
    assert find_task(main, None, "waits") is None
