"""Every notebook of the corpus: registered from a real kernel; with kernel and folder gone, run by the stock worker."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from satflow_ext import runs
from satflow_ext.models import RunDetail, RunRequest
from tests.flow_runs import ended
from tests.kernel.notebooks import NOTEBOOKS, Executor, Notebook

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel
    from tests.local_stack import Stack

AT_ONCE = 3
BATCH = 17
"""Notebooks that one kernel registers before it ends."""
PATIENCE = 60
"""Seconds between a run's end and its telling."""

HOOK = """
def _tell(flow, run, state):
    import json, os, sys
    told = {{"gave": repr(getattr(state.data, "result", state.data)), "path": [each for each in sys.path if "satflow-" in each]}}
    answer = os.path.join({answers!r}, str(run.id))
    with open(answer + ".part", "w") as file:
        json.dump(told, file)
    os.replace(answer + ".part", answer)
main.on_completion(_tell)
import satflow_ext as _satflow
"""
"""A hook tells what the flow gave: Prefect itself keeps no result that nobody asks for.

It is called when the run's last state is known to Prefect already, so it may be asked for before it has told.
"""
REGISTER = (
    "_made = _satflow.register(main, name={name!r}, executor={executor!r}, parameters={parameters!r}, **{options!r})"
)


@dataclass(frozen=True)
class Case:
    """A notebook and the executor that runs it."""

    notebook: Notebook
    executor: Executor

    def __str__(self) -> str:
        single = len(self.notebook.executors) == 1
        return self.notebook.name if single else f"{self.notebook.name}-{self.executor.name}"


CASES = tuple(Case(notebook, executor) for notebook in NOTEBOOKS for executor in notebook.executors)


@dataclass(frozen=True)
class Outcome:
    """How a run ended, what the flow gave, and the folders that the run had made for itself."""

    detail: RunDetail
    gave: str | None
    path: tuple[str, ...]


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, stack: Stack, start_kernel: type[Kernel], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """The outcome of each selected case, by its name, as soon as there is one."""
    answers = tmp_path_factory.mktemp("answers")
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    selected = {str(test.callspec.params["case"]) for test in tests if "case" in _parameters(test)}
    notebooks = [
        each for each in NOTEBOOKS if any(str(Case(each, executor)) in selected for executor in each.executors)
    ]
    registered: dict[str, str] = {}
    for first in range(0, len(notebooks), BATCH):
        home = tmp_path_factory.mktemp("home")
        registered |= _registered(notebooks[first : first + BATCH], start_kernel(home), answers)
    # Not while they register: a Prefect server on SQLite refuses writers when too many want to write for too long.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(_ran, stack, made, answers) for name, made in registered.items() if name in selected}


def _parameters(test: pytest.Function) -> dict[str, object]:
    return test.callspec.params if hasattr(test, "callspec") else {}


def _registered(notebooks: Sequence[Notebook], kernel: Kernel, answers: Path) -> dict[str, str]:
    """Case → id of its deployment; the kernel and everything it wrote are gone afterwards."""
    try:
        return {name: made for each in notebooks for name, made in _register(each, kernel, answers).items()}
    finally:
        kernel.stop()
        shutil.rmtree(kernel.home)


def _register(notebook: Notebook, kernel: Kernel, answers: Path) -> dict[str, str]:
    kernel.open_notebook(notebook)
    kernel.run(HOOK.format(answers=str(answers)))
    made = {}
    for executor in notebook.executors:
        name, parameters = str(Case(notebook, executor)), notebook.parameters
        kernel.run(REGISTER.format(name=name, executor=executor.name, parameters=parameters, options=executor.options))
        made[name] = kernel.value("_made.registered.deployment.id").strip("'")
    return made


def _ran(stack: Stack, deployment_id: str, answers: Path) -> Outcome:
    request = RunRequest(deployment_id=deployment_id, idempotency_key=str(uuid4()))
    run = asyncio.run(runs.start_run(stack.endpoints.prefect, request))
    detail = ended(stack, run.id)
    if detail.run.state_type != "COMPLETED":
        return Outcome(detail, None, ())
    answer = answers / run.id
    deadline = time.monotonic() + PATIENCE
    while not answer.exists():
        assert time.monotonic() < deadline, detail
        time.sleep(0.1)
    told = json.loads(answer.read_text())
    return Outcome(detail, told["gave"], tuple(told["path"]))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_runs_with_the_kernel_gone(case: Case, outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes[str(case)].result()
    if case.notebook.fails is None:
        assert outcome.gave == case.notebook.gives, outcome.detail
    else:
        assert f"{outcome.detail.run.state_name}: {outcome.detail.run.state_message}" == case.notebook.fails


def test_a_run_leaves_no_folder_behind(outcomes: dict[str, Future[Outcome]]) -> None:
    folders = [Path(each) for outcome in outcomes.values() for each in outcome.result().path]
    assert folders, "some of them bring source along"
    deadline = time.monotonic() + 30
    while left := [folder for folder in folders if folder.exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_the_corpus_is_large() -> None:
    assert len(NOTEBOOKS) >= 60
