"""Cancel a run in the same way as Prefect's own UI."""

from __future__ import annotations

from prefect.states import Cancelling

from satflow_ext.endpoints import PrefectApi
from satflow_ext.models import Run
from satflow_ext.prefect_api import prefect_client
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import TERMINAL_STATES, describe_runs, read_state_type


async def cancel_run(prefect_api: PrefectApi, run_id: str) -> Run:
    """Cancel a run. A run without a process becomes Cancelled at once, a running one becomes Cancelling first.

    A run that has already ended does not change.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        if read_state_type(flow_run) not in TERMINAL_STATES:
            await client.set_flow_run_state(flow_run.id, Cancelling())
            flow_run = await find_run(client, run_id)
        (run,) = await describe_runs(client, [flow_run])
    return run
