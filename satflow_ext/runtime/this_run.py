"""The flow run of this process: its deployment, and its log."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from satflow_ext.errors import ContentRefused

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

Log: TypeAlias = "logging.Logger | logging.LoggerAdapter[logging.Logger]"  # no subscript at run time before 3.11

RUN_ID = "PREFECT__FLOW_RUN_ID"
"""Set by Prefect in the process of a flow run, and only there."""

ENTRYPOINT = "PREFECT__FLOW_ENTRYPOINT"
"""Variable with the location of the flow, for Prefect's engine after the pull steps."""

HOOKS_STATE = "SATFLOW_HOOKS_STATE"
"""Environment variable of a process that only calls hooks: the state of the run, as JSON."""


def is_hook_process() -> bool:
    """Return whether this process loads a flow only to call its hooks (`hooks.py`)."""
    return HOOKS_STATE in os.environ


async def deployment_name() -> str:
    """Return `flow/deployment` of this flow run, from Prefect.

    Raises:
        ContentRefused: the run does not belong to a deployment.
    """
    async with _make_client() as client:
        run = await client.read_flow_run(UUID(os.environ[RUN_ID]))
        if run.deployment_id is None:
            raise ContentRefused("This flow run does not belong to a deployment.", fix="Start it from its deployment.")
        deployment, flow = await asyncio.gather(
            client.read_deployment(run.deployment_id), client.read_flow(run.flow_id)
        )
    return f"{flow.name}/{deployment.name}"


def _make_client() -> PrefectClient:
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    plain = str(PREFECT_API_URL.value()).startswith("http://")
    # Prefect's client reads all of certifi's certificates (20 ms) even where no TLS will be spoken.
    options = {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)} if plain else None
    return get_client(httpx_settings=options)


async def set_labels(labels: Mapping[str, str | int]) -> None:
    """Add labels to this flow run in Prefect."""
    async with _make_client() as client:
        await client.update_flow_run_labels(UUID(os.environ[RUN_ID]), {**labels})


def parameter_names() -> tuple[str, ...]:
    """Return the names of this flow run's parameters."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return tuple(client.read_flow_run(UUID(os.environ[RUN_ID])).parameters)


def get_logger() -> Log:
    """Return the logger of the run; outside of a flow run, that of this process."""
    from prefect.logging.loggers import flow_run_logger

    run_id = os.environ.get(RUN_ID)
    return flow_run_logger(flow_run_id=UUID(run_id)) if run_id else logging.getLogger(__name__)


def flush_log() -> None:
    """Send the remaining lines of the run's log, or give up after some seconds."""
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()
