"""The end of flow runs: they do not wait for the thread that sends their heartbeats, which are sent."""

from __future__ import annotations

import asyncio

from prefect import flow

from satflow_ext.prefect_api import prefect_client
from tests.eventually import eventually
from tests.flow_runs import ended, log_of, start_run

HEARTBEAT = "prefect.flow-run.heartbeat"


@flow(name="beats")
def beats():
    from prefect import flow_engine, get_run_logger

    get_run_logger().info("waits at the end: %s", flow_engine._send_heartbeats.keywords["join_on_exit"])


def test_a_run_sends_heartbeats_and_does_not_wait_for_their_thread(stack, registered):
    run = start_run(stack, registered(beats).deployment.id)
    assert ended(stack, run).run.state_type == "COMPLETED"
    assert "waits at the end: False" in log_of(stack, run)
    eventually(lambda: has_heartbeat(stack, run), "Prefect has a heartbeat of the run")


def has_heartbeat(stack, run_id):
    async def read():
        async with prefect_client(stack.endpoints.prefect) as client:
            chosen = {"event": {"name": [HEARTBEAT]}, "resource": {"id": [f"prefect.flow-run.{run_id}"]}}
            return await client.read_events(chosen, limit=1)

    return bool(asyncio.run(read()))
