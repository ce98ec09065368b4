"""`python -m satflow_ext.run_groups`: submit the run groups of the local stack until all of their runs have ended.

The supervisor starts it while groups are active, also after a restart of the stack.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from satflow_ext import endpoints
from satflow_ext.endpoints import PrefectApi, local_prefect_api
from satflow_ext.errors import StackFailed
from satflow_ext.run_groups.database import GroupDatabase
from satflow_ext.run_groups.groups import submit_until_done
from satflow_ext.settings import load_settings

NICENESS = 5
"""Niceness: the services and the user's programs have priority."""


def main() -> int:
    """Submit until no group is active."""
    os.nice(NICENESS)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = load_settings()

    async def locate_api() -> PrefectApi:
        api = await asyncio.to_thread(endpoints.read_local_prefect, settings)
        if api is None:
            raise StackFailed("The local Prefect server is not running.")
        return api

    database = GroupDatabase(settings, local_prefect_api("", None))
    asyncio.run(submit_until_done(database, locate_api, settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
