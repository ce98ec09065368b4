"""Parameters of `satflow_ext.run`, and the display of a run: without any service."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, SecretStr

from satflow_ext.display.run_view import RunView
from satflow_ext.errors import InvalidParameter
from satflow_ext.kernel.run_handle import LogText, encode_parameters
from satflow_ext.models import Failure, LogLine, Run, RunDetail, RunOrigin, TaskRun

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)


class Size(BaseModel):
    width: int


class Login(BaseModel):
    password: SecretStr


ENCODED = {
    "plain": ([1, "a", None, {"b": 1.5}], [1, "a", None, {"b": 1.5}]),
    "tuple": ((1, 2), [1, 2]),
    "date": (dt.date(2026, 1, 2), "2026-01-02"),
    "decimal": (Decimal("1.10"), "1.10"),
    "path": (Path("a/b"), "a/b"),
    "model": (Size(width=3), {"width": 3}),
    "numpy": ([np.int64(3), np.arange(2), np.datetime64("2026-01-02")], [3, [0, 1], "2026-01-02"]),
}


@pytest.mark.parametrize("case", ENCODED)
def test_objects_become_json(case):
    given, expected = ENCODED[case]
    assert encode_parameters({"value": given}) == {"value": expected}


REFUSED = {
    "object": object(),
    "function": [len],
    "bytes": b"\xff",
    "secret": SecretStr("x"),
    "secret of a model": Login(password=SecretStr("x")),
    "nested secret": {"a": [SecretStr("x")]},
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_json_lacks_is_refused_by_name(value):
    with pytest.raises(InvalidParameter, match="Parameter 'value' is ") as refused:
        encode_parameters({"value": value})
    assert refused.value.field == "parameters.value"


def make_task(state: str) -> TaskRun:
    return TaskRun(
        id=state,
        name="t",
        task="t",
        state_type=state,
        state_name=state,
        expected_start=None,
        start=None,
        end=None,
        duration=0,
        attempts=1,
        tags=(),
        interrupted=False,
        nested_run_id=None,
        inputs=(),
        input_count=0,
        caller=None,
    )


def test_a_run_is_shown_as_text_and_as_escaped_html():
    run = Run(
        id="5",
        name="calm-fox",
        deployment_id="6",
        deployment_name="<b>",
        flow_name="tiles",
        state_type="FAILED",
        state_name="Failed",
        state_message=None,
        created=NOW,
        expected_start=NOW,
        start=NOW,
        end=NOW,
        duration=2.5,
        parameters={},
        tags=(),
        scheduled=False,
        version=1,
        last_line=None,
        why_waiting=None,
        in_kernel=False,
    )
    line = LogLine(seq=0, id="0", time=NOW, level=20, logger="x", message="<i>\n" + 400 * "a", task_run_id=None)
    tasks = tuple(make_task(state) for state in ("COMPLETED", "FAILED", "RUNNING", "COMPLETED"))
    failure = Failure(cause="ValueError: <script>", traceback=None)
    detail = RunDetail(
        run=run,
        parents=(),
        failure=failure,
        artifacts=(),
        states=(),
        origin=RunOrigin(kind="user", name=None),
        job_variables={},
        settled=False,
    )
    view = RunView(detail, tasks, (line,))
    text, html = repr(view), view._repr_html_()
    assert "Deployment: tiles/<b>\nState:      Failed, 2.5 s\n" in text
    assert "Tasks:      ██████████░░░░░░░░░░ 2 of 4 completed, 1 running, 1 failed\n" in text
    assert "<i> ⏎ aaa" in text
    assert text.endswith("a…")
    assert not [tag for tag in ("<b>", "<i>", "<script>") if tag in html]
    assert repr(LogText("a\nb")) == "a\nb"
