"""Publish a version: the last steps of a registration, which write a version from the store to Prefect.

    journal: begun → row → write marker → read back → automations → journal: written

After an interruption the row is either the old or the new one, because one request writes it in one transaction. The journal has
the begun write, and the next process that holds the deployment lock determines which of the two the row is, and completes the
automations (`recovery.py`).
"""

from __future__ import annotations

import asyncio

from satflow_ext.deployments import automations, rows, write_marker
from satflow_ext.deployments.drift import MergedChoices
from satflow_ext.deployments.journal import DeploymentWrite, Journal, JournalEntry
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import JournalFailed
from satflow_ext.job_variables.template import flatten_job_variables, nest_job_variables
from satflow_ext.models import JsonObject
from satflow_ext.prefect_api import PrefectClient
from satflow_ext.prefect_rows import DeploymentRow
from satflow_ext.versions.manifest import Manifest
from satflow_ext.versions.pin import Pin


async def publish_version(
    client: PrefectClient,
    manifest: Manifest,
    pin: Pin,
    settled: MergedChoices,
    row: DeploymentRow | None,
    endpoints: Endpoints,
    journal: Journal,
) -> DeploymentRow:
    """Write a deployment's row, with the journal before and after it. The caller holds the deployment lock.

    Args:
        client: an open Prefect client.
        manifest: the manifest, which is in the store.
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
    entry = await asyncio.to_thread(_begin_write, journal, endpoints, manifest, pin, settled)
    await rows.write_row(client, manifest, pin, settled, row, endpoints)
    if entry.marker_name is not None:
        await write_marker.set_marker(client, entry.marker_name, entry.count)
    written = await rows.read_back_row(client, manifest, pin)
    written = await automations.write_automations(
        client, manifest.chosen, manifest.full_name, written, settled.kept_names
    )
    try:
        await asyncio.to_thread(_complete_write, journal, endpoints, entry)
    except JournalFailed as error:
        raise JournalFailed(
            f"{manifest.full_name} is version {manifest.version} now. {error.message}", fix=error.fix
        ) from None
    return written


def _begin_write(
    journal: Journal, endpoints: Endpoints, manifest: Manifest, pin: Pin, settled: MergedChoices
) -> JournalEntry:
    known = journal.read_entry(endpoints, manifest.full_name) or journal.new_entry(endpoints, manifest.full_name)
    begun = DeploymentWrite(
        number=known.count + 1,
        version=manifest.version,
        store=pin.store,
        manifest=pin.manifest,
        parameters=settled.parameters,
        tags=tuple(settled.tags),
        work_pool=settled.work_pool,
        job_variables=_own_job_variables(manifest, settled),
        schedules=tuple(each.to_json() for each in settled.schedules),
        paused=settled.paused,
        description=settled.description,
        concurrency_limit=settled.concurrency_limit,
        collision_strategy=settled.collision_strategy,
        missed_runs=manifest.chosen.missed_runs,
        notify=manifest.chosen.notify,
        trigger=manifest.chosen.trigger,
        kept=tuple(sorted(settled.kept_names)),
    )
    entry = known.model_copy(update={"count": begun.number, "begun": begun})
    journal.write_entry(entry)
    return entry


def _own_job_variables(manifest: Manifest, settled: MergedChoices) -> JsonObject:
    """Return the job variables that SatFlow controls, from those that are written to Prefect."""
    names = flatten_job_variables(manifest.job_variables).keys()
    return nest_job_variables(
        {name: value for name, value in flatten_job_variables(settled.job_variables).items() if name in names}
    )


def _complete_write(journal: Journal, endpoints: Endpoints, entry: JournalEntry) -> None:
    """Complete the entry, unless a process that does not share our locks has written another one since."""
    if journal.read_entry(endpoints, entry.full_name) == entry:
        journal.write_entry(entry.model_copy(update={"written": entry.begun, "begun": None}))
