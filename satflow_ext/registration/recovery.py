"""Recovery after a killed registration or a power cut, by the next process that holds the deployment lock.

A begun write that Prefect has is complete; any other begun write was never made, and is discarded. A row that Prefect's database
has lost is written again, from the manifest in the store and the journal. Changes that users made in Prefect are preserved.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import SatflowError, SettingsWrong
from satflow_ext.keys import trusted
from satflow_ext.prefect_names import read_deployment
from satflow_ext.registration import manifests, publish, write_marker
from satflow_ext.registration.deployment_pin import pin_of
from satflow_ext.registration.deployments import number
from satflow_ext.registration.divergence import Live, Verdict, judge
from satflow_ext.registration.drift import Settled
from satflow_ext.registration.journal import Entry, Journal, Written
from satflow_ext.registration.manifest import Manifest
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Healed:
    """A deployment after recovery: its row, its last write in the journal (None if there is none), and its divergence."""

    row: DeploymentResponse | None
    written: Written | None
    verdict: Verdict


async def look(client: PrefectClient, full_name: str, endpoints: Endpoints, settings: Settings) -> Healed:
    """Determine the state of a deployment without writing anything.

    Raises:
        JournalFailed: the entry cannot be read.
        PrefectFailed: a request to the API failed.
    """
    row = await read_deployment(client, full_name)
    entry = await asyncio.to_thread(Journal(settings).read, endpoints, full_name)
    return await _looked(client, row, entry.settled(pin_of(row) if row else None) if entry else None)


async def heal(client: PrefectClient, full_name: str, endpoints: Endpoints, settings: Settings) -> Healed:
    """Settle an interrupted registration, and write a row again that Prefect has lost. The caller holds the deployment lock.

    A lost row that cannot be written again, for example because the store no longer has its manifest, stays "lost".

    Raises:
        JournalFailed: the entry cannot be read or written.
        PrefectFailed: a request to the API failed.
    """
    journal = Journal(settings)
    row = await read_deployment(client, full_name)
    entry = await asyncio.to_thread(journal.read, endpoints, full_name)
    if entry is not None and entry.begun is not None:
        entry = await _settle(client, entry, row, journal)
    found = await _looked(client, row, entry)
    if found.verdict != "lost" or found.written is None:
        return found
    try:
        made = await _manifest_of(found.written, endpoints, settings)
    except SatflowError as error:
        logger.warning("Prefect has lost version %s of %s. %s", found.written.version, full_name, error)
        return found
    row = await publish.tell(client, made, found.written.pin, _as_told(found.written), row, endpoints, journal)
    logger.warning("Prefect had lost version %s of %s; it was restored.", made.version, full_name)
    return Healed(row, found.written, "as written")


async def _looked(client: PrefectClient, row: DeploymentResponse | None, entry: Entry | None) -> Healed:
    written = entry.written if entry else None
    if entry is None or written is None:
        return Healed(row, None, "as written")
    live = Live(number(row.version), pin_of(row)) if row else None
    verdict = judge(written, live, None)
    if verdict in ("changed", "gone") and entry.witness is not None:
        verdict = judge(written, live, await write_marker.seen(client, entry.witness))
    return Healed(row, written, verdict)


async def _settle(client: PrefectClient, entry: Entry, row: DeploymentResponse | None, journal: Journal) -> Entry:
    """Complete or discard a begun write."""
    settled = entry.settled(pin_of(row) if row else None)
    if settled.written == entry.begun and settled.witness is not None:
        await write_marker.leave(client, settled.witness, settled.count)
    await asyncio.to_thread(journal.write, settled)
    return settled


async def _manifest_of(written: Written, endpoints: Endpoints, settings: Settings) -> Manifest:
    """Read the manifest from which the row is written again.

    Raises:
        SatflowError: it is missing from the store, in another store, or not trusted.
    """
    if written.store != endpoints.store.name:
        raise SettingsWrong(f"Its content is in the store {written.store!r}, which is not the store in use.")
    return await manifests.verified(endpoints.store, written.manifest, trusted(settings))


def _as_told(written: Written) -> Settled:
    from prefect.client.schemas.actions import DeploymentScheduleCreate

    return Settled(
        parameters=written.parameters,
        tags=list(written.tags),
        work_pool=written.work_pool,
        job_variables=written.job_variables,
        schedules=[DeploymentScheduleCreate.model_validate(each) for each in written.schedules],
        paused=written.paused,
        kept=(),
    )
