"""Healing the deployments of the local stack once its services run, by a process that ends by itself."""

from __future__ import annotations

import os

from satflow_ext.settings import Settings
from satflow_ext.stack import environment, roles
from satflow_ext.stack.process import Plan, ServiceProcess


async def heal(settings: Settings) -> None:
    """Do it, where anything was ever registered; its log says what needed it."""
    if not any((settings.state_dir / "journal").glob("*.json")):
        return
    plan = Plan(
        name="healing",
        module=("satflow_ext.registration.at_start",),
        environment=environment.bare(os.environ, settings),
        log=roles.logs(settings, "healing"),
    )
    process = await ServiceProcess.start(plan)
    await process.ended()
