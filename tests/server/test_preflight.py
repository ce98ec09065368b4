"""The pre-flight report over REST: the kernel's part, the choices, and a real load in a clean process."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from satflow_ext.models import Preflight, StackStatus

FLOW = """
import os
from prefect import flow

def from_environment(name):
    return os.environ[name]

class Here:
    def __reduce__(self):
        return from_environment, ("ONLY_IN_THE_NOTEBOOK",)

here = Here()

@flow
def tiles(n: int = 3):
    return n

@flow
def homesick():
    return here
"""


async def test_a_report_needs_no_stack_and_a_rehearsal_no_notebook(browser, open_kernel):
    before = (await browser.ask(StackStatus, "GET", "stack")).state
    async with open_kernel() as kernel:
        await kernel.run("import os; os.environ['ONLY_IN_THE_NOTEBOOK'] = 'x'" + FLOW)
        wanted = {"kernel_id": kernel.id, "variable": "tiles"}
        found = await browser.ask(Preflight, "POST", "preflight", wanted)
        assert (found.flow, found.rehearsed) == ("tiles", None)
        assert [(each.kind, each.where) for each in found.findings] == [("side effect", "cell [1]")]
        loaded = await browser.ask(Preflight, "POST", "preflight", {**wanted, "rehearse": True})
        assert loaded.findings == found.findings
        assert loaded.rehearsed is not None
        home = {**wanted, "variable": "homesick", "rehearse": True}
        finding, _ = (await browser.ask(Preflight, "POST", "preflight", home)).findings
        assert (finding.kind, finding.level) == ("load", "error")
        assert "ONLY_IN_THE_NOTEBOOK" in finding.message
    assert (await browser.ask(StackStatus, "GET", "stack")).state == before


@pytest.mark.parametrize(
    ("choice", "where"),
    [
        ({"executor": {"name": "dask-local", "options": {"n_workers": 10_000}}}, "executor.options"),
        ({"executor": {"name": "no-such"}}, "executor.name"),
        ({"schedules": [{"kind": "cron", "cron": "nonsense"}]}, "schedules.0.cron"),
        ({"infrastructure": {"image": "team/tiles:1"}}, "infrastructure.image"),
        ({"infrastructure": {"job_variables": {"naem": "x"}}}, "infrastructure.job_variables.naem"),
        ({"work_pool": "no-such"}, "work_pool"),
    ],
)
async def test_a_choice_that_registering_would_refuse(browser, open_kernel, choice, where):
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        wanted = {"kernel_id": kernel.id, "variable": "tiles", **choice}
        (finding,) = (await browser.ask(Preflight, "POST", "preflight", wanted)).findings
        assert (finding.kind, finding.level) == ("choice", "error")
        assert finding.where.startswith(where)
        code, error = await browser.refused("POST", "deployments", wanted)
    assert code < HTTPStatus.INTERNAL_SERVER_ERROR
    assert error.message == f"{finding.message}."


async def test_no_such_flow(browser, open_kernel):
    async with open_kernel() as kernel:
        await kernel.run(FLOW)
        code, error = await browser.refused("POST", "preflight", {"kernel_id": kernel.id, "variable": "nothing"})
    assert (code, error.error) == (HTTPStatus.NOT_FOUND, "FlowNotFound")
