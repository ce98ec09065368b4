"""A flow run by the id that a user or a browser gave."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from satflow_ext.errors import RunNotFound
from satflow_ext.prefect_api import absent, parse_id

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun


def identify(run_id: str) -> UUID:
    """The id that the text spells.

    Raises:
        RunNotFound: the text is no id, so no flow run has it.
    """
    return parse_id(run_id, _missing(run_id))


async def find(client: PrefectClient, run_id: str) -> FlowRun:
    """The flow run as Prefect has it now.

    Raises:
        RunNotFound: Prefect has no flow run with that id, or the text is no id.
        PrefectFailed: the API did not answer.
    """
    with absent(_missing(run_id)):
        return await client.read_flow_run(identify(run_id))


def _missing(run_id: str) -> RunNotFound:
    return RunNotFound(f"No flow run has the id {run_id!r}.", fix="It may have been deleted: look again.")
