"""Modules that take seconds to import (Prefect: 1.8 s), imported in a thread before the event loop uses them."""

from __future__ import annotations

import asyncio
import importlib

MODULES = ("satflow_ext.prefect_api", "satflow_ext.runs", "satflow_ext.registration", "satflow_ext.executors")


async def loaded() -> None:
    """Import the modules that use Prefect in a thread; afterward, imports of them in functions take no time."""
    await asyncio.to_thread(_load)


def _load() -> None:
    for name in MODULES:
        importlib.import_module(name)
