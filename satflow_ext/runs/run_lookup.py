"""Lookup of a flow run by an id from a user or a browser."""

from __future__ import annotations

from uuid import UUID

from satflow_ext.errors import RunNotFound
from satflow_ext.prefect_api import PrefectClient, parse_id, replace_not_found
from satflow_ext.prefect_rows import FlowRunRow


def parse_run_id(run_id: str) -> UUID:
    """Parse the id of a flow run.

    Raises:
        RunNotFound: the text is not a valid id, so no flow run has it.
    """
    return parse_id(run_id, _run_not_found(run_id))


async def find_run(client: PrefectClient, run_id: str) -> FlowRunRow:
    """Read the flow run from Prefect.

    Raises:
        RunNotFound: Prefect has no flow run with that id, or the text is not a valid id.
        PrefectFailed: the API did not answer.
    """
    with replace_not_found(_run_not_found(run_id)):
        return await client.read_flow_run(parse_run_id(run_id))


def _run_not_found(run_id: str) -> RunNotFound:
    return RunNotFound(f"No flow run has the id {run_id!r}.", fix="It may have been deleted: list the runs again.")
