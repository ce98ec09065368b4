"""`satflow register NOTEBOOK.ipynb`: execute a notebook and register the flows that it leaves behind."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from satflow_ext import registration, settings
from satflow_ext.commands import choices, notebook
from satflow_ext.commands.connection import connected
from satflow_ext.commands.words import changed
from satflow_ext.endpoints import Endpoints
from satflow_ext.models import Registered, Registration
from satflow_ext.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("notebook", type=Path, help="the notebook, executed from its first cell to its last")
    parser.add_argument("--flow", action="append", default=[], help="register only this flow (repeatable)")
    parser.add_argument("--kernel", help="kernelspec to execute it with (default: the notebook's own)")
    parser.add_argument("--cell-timeout", type=float, help="seconds that one cell may take (default: no limit)")
    choices.configure(parser)


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Register, and say what came of it."""
    here = settings.load()
    wanted = choices.registration(args, rest)
    with connected(here) as endpoints:
        registration.check_choices(wanted, here, local=endpoints.local)  # before cells run that may take an hour
        asyncio.run(_register(args, wanted, endpoints, here))
    return 0


async def _register(args: argparse.Namespace, wanted: Registration, endpoints: Endpoints, here: Settings) -> None:
    """Register one flow after the other and say so at once: of what was done before a failure, the user has to know."""
    with tempfile.TemporaryDirectory(prefix="satflow-") as folder:
        async with notebook.executed(args.notebook, kernel=args.kernel, cell_timeout=args.cell_timeout) as executed:
            for flow in await executed.flows(args.flow):
                packed = await executed.pack(flow, wanted, Path(folder))
                print(
                    words(await registration.register(packed, wanted, endpoints, here, overwrite=args.overwrite)),
                    flush=True,
                )


def words(registered: Registered) -> str:
    """One line for what registering did, others for what was left alone in Prefect and for the next runs."""
    deployment = registered.deployment
    size = f"{registered.content_size / 1024:,.1f} KiB"
    line = f"{deployment.flow_name}/{deployment.name}: {registered.outcome}, version {deployment.version} ({size})"
    lines = [line, *(f"  kept as changed in Prefect: {changed(change)}" for change in registered.kept)]
    if registered.files:
        total = sum(file.size for file in registered.files)
        lines.append(f"  data files: {len(registered.files)} ({total / 1024:,.1f} KiB)")
    if deployment.next_runs:
        moments = ", ".join(f"{moment:%a %d %b %H:%M %Z}" for moment in deployment.next_runs)
        lines.append(f"  next runs: {moments}")
    return "\n".join(lines)
