"""`python -m satflow_ext.deployments.startup_recovery`: recover the local stack's deployments that are in the journal.

The local stack runs it whenever its Prefect server has started. It prints a line for each deployment that needed recovery.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from satflow_ext import endpoints as places
from satflow_ext.deployments import recovery
from satflow_ext.deployments.journal import Journal, JournalEntry
from satflow_ext.deployments.lock import hold_deployment_lock
from satflow_ext.endpoints import LOCAL_POOL, Endpoints, StackRecord, local_prefect_api
from satflow_ext.errors import PrefectUnauthorized, PrefectUnreachable, SatflowError
from satflow_ext.prefect_api import prefect_client
from satflow_ext.settings import LOCAL, Settings, load_settings

NICENESS = 10
"""Niceness: the services that start at the same time and the user's programs have priority."""

logger = logging.getLogger("satflow_ext.registration")


def main() -> int:
    """Recover all deployments; return 1 if Prefect does not answer."""
    os.nice(NICENESS)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    settings = load_settings()
    record = places.read_record(settings)
    if settings.prefect_api_url is not None or record is None or record.prefect_url is None:
        return 0
    try:
        asyncio.run(recover_all(settings, record))
    except (PrefectUnreachable, PrefectUnauthorized) as error:  # the stack was stopped; its next start runs this again
        logger.warning("%s", error)
        return 1
    return 0


async def recover_all(settings: Settings, record: StackRecord) -> None:
    """Recover one deployment after the other. A failure of one does not stop the others.

    Raises:
        PrefectUnreachable: the local stack no longer runs.
        PrefectUnauthorized: another local stack has replaced it.
    """
    for entry in await asyncio.to_thread(Journal(settings).local_entries):
        try:
            await _recover_entry(entry, settings, record)
        except (PrefectUnreachable, PrefectUnauthorized):
            raise
        except SatflowError as error:
            logger.warning("%s: %s", entry.full_name, error)


async def _recover_entry(entry: JournalEntry, settings: Settings, record: StackRecord) -> None:
    """Recover one deployment. It is checked without its lock first: waiting for a registration would delay the others."""
    where = _local_endpoints(entry, settings, record)
    async with prefect_client(where.prefect) as client:
        found = await recovery.inspect_deployment(client, entry.full_name, where, settings)
        if entry.begun is None and found.divergence != "lost":
            return
        async with hold_deployment_lock(entry.full_name, where.prefect, settings):
            await recovery.recover_deployment(client, entry.full_name, where, settings)


def _local_endpoints(entry: JournalEntry, settings: Settings, record: StackRecord) -> Endpoints:
    """Return the local Prefect, and the store that has the deployment's manifest."""
    store = entry.written.store if entry.written else LOCAL
    prefect = local_prefect_api(record.prefect_url or "", record.prefect_auth)
    return Endpoints(prefect, places.find_store(store, settings, record), LOCAL_POOL, local=True)


if __name__ == "__main__":
    sys.exit(main())
