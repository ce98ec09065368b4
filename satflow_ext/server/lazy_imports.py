"""Modules that take long to import (Prefect: 1.8 s), imported in a thread before the event loop uses them."""

from __future__ import annotations

import asyncio
import importlib

PREFECT_MODULES = (
    "satflow_ext.prefect_api",
    "satflow_ext.runs",
    "satflow_ext.registration",
    "satflow_ext.executors",
    "prefect.client.schemas.schedules",  # checks schedules
    "prefect.utilities.schema_tools",  # checks job variables
)


async def import_prefect_modules() -> None:
    """Import the modules that use Prefect in a thread; afterward, imports of them in functions take no time."""
    await asyncio.to_thread(_import_modules)


def _import_modules() -> None:
    for name in PREFECT_MODULES:
        importlib.import_module(name)
