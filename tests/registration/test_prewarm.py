"""Clusters that are warm before a scheduled run: the local stack's own doing, seen through Prefect and its Dask Gateway."""

from __future__ import annotations

import asyncio
import time

from prefect import flow

from satflow_ext.models import ExecutorChoice, IntervalSchedule, RunQuery
from satflow_ext.registration import clusters, deployments, due, prewarming
from satflow_ext.registration.prewarm import wish
from satflow_ext.runs import list_runs

CHOICE = ExecutorChoice(name="dask-cluster", options={"n_workers": 1, "prewarm": 3600, "idle_timeout": 3600})
EVERY = IntervalSchedule(seconds=3600)
LONG = 120.0


@flow
def comes_later():
    return 1


def test_a_scheduled_run_has_its_cluster_ahead(stack, registered):
    """The run comes within the hour that the cluster is wanted ahead; nobody but the stack starts the cluster."""
    where, here = stack.endpoints, stack.settings
    done = registered(comes_later, executor=CHOICE, schedule=EVERY).deployment
    assert wish(here).exists()
    deadline = time.monotonic() + LONG
    while (seen := asyncio.run(clusters.look(where, here, done.id))).workers != 1:
        assert time.monotonic() < deadline, seen
        time.sleep(0.5)
    assert not asyncio.run(list_runs(where.prefect, RunQuery(deployment_id=done.id)))
    asyncio.run(clusters.close(where, here, done.id))
    asyncio.run(deployments.delete(where, here, done.id))
    assert asyncio.run(due.wishes(where)) == {}
    asyncio.run(prewarming.keep(here))
    assert not wish(here).exists()
