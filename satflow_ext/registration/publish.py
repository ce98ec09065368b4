"""Publish a version: the last steps of a registration, which write a version from the store to Prefect.

    journal: begun → row → write marker → read back → journal: written

After an interruption the row is either the old or the new one, because one request writes it in one transaction. The journal has
the begun write, and the next process that holds the deployment lock determines which of the two the row is (`recovery.py`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import JournalFailed
from satflow_ext.job_variables import flat, whole
from satflow_ext.models import JsonObject
from satflow_ext.registration import deployment_rows, write_marker
from satflow_ext.registration.deployment_pin import Pin
from satflow_ext.registration.drift import Settled
from satflow_ext.registration.journal import Entry, Journal, Written
from satflow_ext.registration.manifest import Manifest

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import DeploymentResponse


async def tell(
    client: PrefectClient,
    made: Manifest,
    pin: Pin,
    settled: Settled,
    row: DeploymentResponse | None,
    endpoints: Endpoints,
    journal: Journal,
) -> DeploymentResponse:
    """Write a deployment's row, with the journal before and after it. The caller holds the deployment lock.

    Args:
        client: an open Prefect client.
        made: the manifest, which is in the store.
        pin: the location of the manifest.
        settled: the other values that are written to Prefect.
        row: the row that Prefect has now.
        endpoints: the Prefect API.
        journal: the user's journal.

    Raises:
        JournalFailed: the journal could not be written. If the row is already written, the message states that.
        PrefectFailed: Prefect does not have the row, or it is unknown whether Prefect has it.
        DeploymentContested: another registration was made at the same moment, and its version is the one that runs.
    """
    entry = await asyncio.to_thread(_begin, journal, endpoints, made, pin, settled)
    await deployment_rows.write(client, made, pin, settled, row, endpoints)
    if entry.witness is not None:
        await write_marker.leave(client, entry.witness, entry.count)
    written = await deployment_rows.read_back(client, made, pin)
    try:
        await asyncio.to_thread(_end, journal, endpoints, entry)
    except JournalFailed as error:
        raise JournalFailed(f"{made.full_name} is version {made.version} now. {error.message}", fix=error.fix) from None
    return written


def _begin(journal: Journal, endpoints: Endpoints, made: Manifest, pin: Pin, settled: Settled) -> Entry:
    known = journal.read(endpoints, made.full_name) or journal.fresh(endpoints, made.full_name)
    begun = Written(
        number=known.count + 1,
        version=made.version,
        store=pin.store,
        manifest=pin.manifest,
        parameters=settled.parameters,
        tags=tuple(settled.tags),
        work_pool=settled.work_pool,
        job_variables=_ours(made, settled),
        schedules=tuple(each.model_dump(mode="json") for each in settled.schedules),
        paused=settled.paused,
        missed_runs=made.chosen.missed_runs,
    )
    entry = known.model_copy(update={"count": begun.number, "begun": begun})
    journal.write(entry)
    return entry


def _ours(made: Manifest, settled: Settled) -> JsonObject:
    """Return the job variables that SatFlow controls, from those that are written to Prefect."""
    names = flat(made.job_variables).keys()
    return whole({name: value for name, value in flat(settled.job_variables).items() if name in names})


def _end(journal: Journal, endpoints: Endpoints, entry: Entry) -> None:
    """Complete the entry, unless a process that does not share our locks has written another one since."""
    if journal.read(endpoints, entry.full_name) == entry:
        journal.write(entry.model_copy(update={"written": entry.begun, "begun": None}))
