"""`python -m satflow_ext.registration.startup_recovery`: heal what the journal says of the local stack's deployments.

The local stack runs it whenever its Prefect server has started. It prints a line for each deployment that needed something.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from satflow_ext import endpoints as places
from satflow_ext.endpoints import LOCAL_POOL, Endpoints, StackRecord, own_prefect
from satflow_ext.errors import PrefectUnauthorized, PrefectUnreachable, SatflowError
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import recovery
from satflow_ext.registration.deployment_lock import turn
from satflow_ext.registration.journal import Entry, Journal
from satflow_ext.settings import LOCAL, Settings, load_settings

NICE = 10
"""It gives way to the services that are starting at the same time, and to their user."""

logger = logging.getLogger("satflow_ext.registration")


def main() -> int:
    """Heal all of them; 1 where Prefect does not answer."""
    os.nice(NICE)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    settings = load_settings()
    record = places.read_record(settings)
    if settings.prefect_api_url is not None or record is None or record.prefect_url is None:
        return 0
    try:
        asyncio.run(heal_all(settings, record))
    except (PrefectUnreachable, PrefectUnauthorized) as error:  # the stack has been stopped; the next start heals
        logger.warning("%s", error)
        return 1
    return 0


async def heal_all(settings: Settings, record: StackRecord) -> None:
    """Heal one deployment after the other; what one of them lacks keeps no other from it.

    Raises:
        PrefectUnreachable: the local stack does not run any more.
        PrefectUnauthorized: it is another one by now.
    """
    for entry in await asyncio.to_thread(Journal(settings).local):
        try:
            await _heal(entry, settings, record)
        except (PrefectUnreachable, PrefectUnauthorized):
            raise
        except SatflowError as error:
            logger.warning("%s: %s", entry.full_name, error)


async def _heal(entry: Entry, settings: Settings, record: StackRecord) -> None:
    """Look first: to wait for the turn of one that somebody registers just now would hold up the others."""
    where = _endpoints(entry, settings, record)
    async with prefect_client(where.prefect) as client:
        found = await recovery.look(client, entry.full_name, where, settings)
        if entry.begun is None and found.verdict != "lost":
            return
        async with turn(entry.full_name, where.prefect, settings):
            await recovery.heal(client, entry.full_name, where, settings)


def _endpoints(entry: Entry, settings: Settings, record: StackRecord) -> Endpoints:
    """The local Prefect, and the store that the deployment's manifest is in."""
    store = entry.written.store if entry.written else LOCAL
    prefect = own_prefect(record.prefect_url or "", record.prefect_auth)
    return Endpoints(prefect, places.store_named(store, settings, record), LOCAL_POOL, local=True)


if __name__ == "__main__":
    sys.exit(main())
