"""The last steps of a registration: what the store has already becomes what Prefect has.

    journal: begun → row → witness → read back → journal: written

Whatever is cut off, the row is the old one or the new one, because one request writes it in one transaction; the journal says
that somebody was about to, and whoever has the deployment's turn next tells from the row which of the two it is (`recovery.py`).
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
    """Write a deployment's row, with the journal before and after it. Call it with the deployment's turn.

    Args:
        client: an open prefect client.
        made: the manifest, which the store has.
        pin: where it is.
        settled: what else Prefect is told.
        row: what Prefect has now.
        endpoints: the Prefect API.
        journal: of this user.

    Raises:
        JournalFailed: the disk did not take the journal. Where the row is written already, the message says so.
        PrefectFailed: Prefect does not have what it was told, or nobody knows.
        DeploymentContested: somebody else registered it at the same moment, and theirs is the one that runs.
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
    """Of the job variables that Prefect is told, those that SatFlow decides of."""
    names = flat(made.job_variables).keys()
    return whole({name: value for name, value in flat(settled.job_variables).items() if name in names})


def _end(journal: Journal, endpoints: Endpoints, entry: Entry) -> None:
    """Close the entry, unless somebody who does not share our turns has written another one since."""
    if journal.read(endpoints, entry.full_name) == entry:
        journal.write(entry.model_copy(update={"written": entry.begun, "begun": None}))
