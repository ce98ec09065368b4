"""A schedule starts runs: of the local stack's Prefect server and worker, with nobody pressing anything."""

from __future__ import annotations

import asyncio
import time

from prefect import flow

from satflow_ext.deployments import queries
from satflow_ext.models import IntervalSchedule, RunQuery
from satflow_ext.runs import list_runs


@flow
def comes_round():
    return 1


def test_a_schedule_starts_runs(stack, registered):
    done = registered(comes_round, schedule=IntervalSchedule(seconds=5)).deployment
    query, deadline = RunQuery(deployment_id=done.id, state_type="COMPLETED"), time.monotonic() + 120
    while not (ran := asyncio.run(list_runs(stack.endpoints.prefect, query))):
        assert time.monotonic() < deadline, "the schedule started no run"
        time.sleep(0.5)
    asyncio.run(queries.delete_deployment(stack.endpoints, stack.settings, done.id))
    assert {run.deployment_name for run in ran} == {done.name}
