"""Modules that take seconds to import (Prefect: 1.8 s), loaded in a thread before the event loop touches them."""

from __future__ import annotations

import asyncio
import importlib

MODULES = ("satflow_ext.prefect_api", "satflow_ext.runs", "satflow_ext.registration", "satflow_ext.executors")


async def loaded() -> None:
    """Return when the modules that talk to Prefect are there; from then on importing them in a function costs nothing."""
    await asyncio.to_thread(_load)


def _load() -> None:
    for name in MODULES:
        importlib.import_module(name)
