"""Recovery after a killed registration or a power cut, by the next process that holds the deployment lock.

A begun write that Prefect has is complete; any other begun write was never made, and is discarded. A row that Prefect's database
has lost is written again, from the manifest in the store and the journal. Changes that users made in Prefect are preserved.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Literal

from satflow_ext.deployments import automations, publish, write_marker
from satflow_ext.deployments.drift import MergedChoices
from satflow_ext.deployments.journal import DeploymentWrite, Journal, JournalEntry
from satflow_ext.deployments.queries import version_number
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import InvalidAutomation, SatflowError, SettingsWrong
from satflow_ext.keys import read_trusted_keys
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_rows import DeploymentRow, DeploymentSchedule
from satflow_ext.settings import Settings
from satflow_ext.versions import manifest_store
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import Pin, pin_of

logger = logging.getLogger(__name__)
Divergence = Literal["as written", "newer", "lost", "deleted", "gone", "changed"]
"""`lost`: the database has lost the write. `deleted`: the database had the write, and the row was deleted. `gone`: one of the
two. `changed`: the row's pin was changed. `newer`: the deployment was registered on another machine."""


@dataclass(frozen=True)
class RecoveredDeployment:
    """A deployment after recovery.

    Args:
        full_name: `flow/deployment`.
        row: its row in Prefect, None if there is none.
        written: its last write in the journal, None if there is none.
        divergence: how row and last write differ.
    """

    full_name: str
    row: DeploymentRow | None
    written: DeploymentWrite | None
    divergence: Divergence


async def inspect_deployment(
    client: PrefectClient, full_name: str, endpoints: Endpoints, settings: Settings
) -> RecoveredDeployment:
    """Determine the state of a deployment without writing anything.

    Raises:
        JournalFailed: the entry cannot be read.
        PrefectFailed: a request to the API failed.
    """
    row = await automations.read_with_automations(client, full_name)
    entry = await asyncio.to_thread(Journal(settings).read_entry, endpoints, full_name)
    settled = entry.settle_begun_write(pin_of(row) if row else None) if entry else None
    written, divergence = await _determine_divergence(client, row, settled)
    return RecoveredDeployment(full_name, row, written, divergence)


async def recover_deployment(
    client: PrefectClient, full_name: str, endpoints: Endpoints, settings: Settings
) -> RecoveredDeployment:
    """Settle an interrupted registration, and write a row again that Prefect has lost. The caller holds the deployment lock.

    A lost row that cannot be written again, for example because the store no longer has its manifest, stays "lost".

    Raises:
        JournalFailed: the entry cannot be read or written.
        PrefectFailed: a request to the API failed.
    """
    journal = Journal(settings)
    row = await automations.read_with_automations(client, full_name)
    entry = await asyncio.to_thread(journal.read_entry, endpoints, full_name)
    if entry is not None and entry.begun is not None:
        entry = await _settle_entry(client, entry, row, journal)
    written, divergence = await _determine_divergence(client, row, entry)
    if divergence != "lost" or written is None:
        return RecoveredDeployment(full_name, row, written, divergence)
    try:
        made = await _read_manifest(written, endpoints, settings)
    except SatflowError as error:
        logger.warning("Prefect has lost version %s of %s. %s", written.version, full_name, error)
        return RecoveredDeployment(full_name, row, written, divergence)
    try:
        row = await publish.publish_version(
            client, made, written.pin, _restore_choices(written), row, endpoints, journal
        )
    except InvalidAutomation as error:  # the database has also lost a block
        logger.warning("The notifications and triggers of %s are not complete. %s", full_name, error)
        row = await automations.read_with_automations(client, full_name)
    logger.warning("Prefect had lost version %s of %s; it was restored.", made.version, full_name)
    return RecoveredDeployment(full_name, row, written, "as written")


async def _determine_divergence(
    client: PrefectClient, row: DeploymentRow | None, entry: JournalEntry | None
) -> tuple[DeploymentWrite | None, Divergence]:
    """Return the last write in the journal, and how the row differs from it."""
    written = entry.written if entry else None
    if entry is None or written is None:
        return None, "as written"
    live = LiveState(version_number(row.version), pin_of(row)) if row else None
    divergence = classify_divergence(written, live, None)
    if divergence in ("changed", "gone") and entry.marker_name is not None:
        divergence = classify_divergence(written, live, await write_marker.read_marker(client, entry.marker_name))
    return written, divergence


async def _settle_entry(
    client: PrefectClient, entry: JournalEntry, row: DeploymentRow | None, journal: Journal
) -> JournalEntry:
    """Complete or discard a begun write."""
    settled = entry.settle_begun_write(pin_of(row) if row else None)
    if settled.written == entry.begun and settled.marker_name is not None:
        await write_marker.set_marker(client, settled.marker_name, settled.count)
    if row is not None and settled.written is not None and settled.written == entry.begun:
        await _complete_automations(client, row, settled.written, entry.full_name)
    await asyncio.to_thread(journal.write_entry, settled)
    return settled


async def _complete_automations(
    client: PrefectClient, row: DeploymentRow, written: DeploymentWrite, full_name: str
) -> None:
    try:
        await automations.write_automations(client, written.automations, full_name, row, frozenset(written.kept))
    except InvalidAutomation as error:
        logger.warning("The notifications and triggers of %s are not complete. %s", full_name, error)


async def _read_manifest(written: DeploymentWrite, endpoints: Endpoints, settings: Settings) -> Manifest:
    """Read the manifest from which the row is written again.

    Raises:
        SatflowError: it is missing from the store, in another store, or not trusted.
    """
    if written.store != endpoints.store.name:
        raise SettingsWrong(f"Its content is in the store {written.store!r}, which is not the store in use.")
    return await manifest_store.read_verified_manifest(endpoints.store, written.manifest, read_trusted_keys(settings))


def _restore_choices(written: DeploymentWrite) -> MergedChoices:
    return MergedChoices(
        parameters=written.parameters,
        tags=list(written.tags),
        work_pool=written.work_pool,
        job_variables=written.job_variables,
        schedules=[DeploymentSchedule.model_validate(each) for each in written.schedules],
        paused=written.paused,
        description=written.description,
        concurrency_limit=written.concurrency_limit,
        collision_strategy=written.collision_strategy,
        kept=(),
    )


@dataclass(frozen=True)
class LiveState:
    """The state in Prefect: the version in the row, 0 for none, and the pin, None if SatFlow did not create the row."""

    version: int
    pin: Pin | None


def classify_divergence(written: DeploymentWrite, live: LiveState | None, marker_count: int | None) -> Divergence:
    """Compare the last write with the state in Prefect.

    After a power cut, SQLite has a prefix of its earlier commits (https://sqlite.org/wal.html), and the write marker is
    committed after the row: a database with the marker of a write has also had its row.

    Args:
        written: the last completed write.
        live: the state in Prefect; None without a row.
        marker_count: number of writes that the marker in Prefect's database counts; None without a marker.
    """
    if live is not None and live.pin == written.pin:
        return "as written"
    if live is not None and live.version > written.version:
        return "newer"
    is_earlier_state = live is None or (live.pin is not None and live.version < written.version)
    if is_earlier_state and marker_count is not None and marker_count < written.number:
        return "lost"
    if live is not None:
        return "changed"
    return "gone" if marker_count is None else "deleted"
