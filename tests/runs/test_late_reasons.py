"""Why a run waits, from values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from satflow_ext.models import WorkPool
from satflow_ext.runs.run_rows import WaitingRun, explain_waiting

NOW = datetime(2026, 11, 21, 6, tzinfo=timezone.utc)
POOL = WorkPool(name="team", type="process", paused=False, online_workers=1, takes=(), job_variables={})


def waiting(**changes: object) -> WaitingRun:
    base = {
        "state_type": "SCHEDULED",
        "state_name": "Late",
        "expected_start": NOW - timedelta(minutes=1),
        "deployment_name": "tiles",
        "slots": None,
        "pool_name": "team",
        "pool": POOL,
    }
    return WaitingRun(**{**base, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"pool": POOL.model_copy(update={"online_workers": 0})}, "prefect worker start --pool team"),
        ({"pool": POOL.model_copy(update={"paused": True})}, "paused"),
        ({"pool": None}, "no longer exists"),
        ({"pool_name": None, "pool": None}, "has no work pool"),
        ({"pool_name": "satflow-local", "pool": POOL.model_copy(update={"online_workers": 0})}, "satflow up"),
        ({"pool_name": "satflow-local", "active": 4, "run_limit": 4}, "at most 4 runs at a time (SATFLOW_RUN_LIMIT)"),
        ({"pool_name": "satflow-local", "active": 3, "run_limit": 4}, None),
        ({"pool_name": "team", "active": 4, "run_limit": 4}, None),
        ({"state_name": "AwaitingConcurrencySlot", "slots": 2}, "at most 2 at a time"),
        ({"state_type": "RUNNING", "pool": None}, None),
        ({"state_type": "PENDING", "state_name": "Pending", "pool": None}, "no longer exists"),
        ({"expected_start": NOW + timedelta(hours=1), "pool": None}, None),
        ({"expected_start": NOW - timedelta(seconds=2), "pool": None}, None),
        ({"expected_start": None, "pool": None}, None),
    ],
)
def test_why_waiting(changes, said):
    answer = explain_waiting(waiting(**changes), NOW)
    assert answer is None if said is None else said in answer
