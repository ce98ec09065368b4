"""`satflow register PATH --check`: the pre-flight report on each flow. Nothing is sent, and the local stack is not started.

Cells that run a flow use the Prefect API if it already answers. Otherwise Prefect's own settings apply, so that such cells
still work: Prefect may start a server in the kernel, without its telemetry.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable

from satflow_ext import scratch
from satflow_ext.commands import interrupts, notebook
from satflow_ext.commands.flow_selection import Wanted, report_left_out
from satflow_ext.commands.notebook import Notebook
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import PrefectFailed, SettingsWrong, StackFailed
from satflow_ext.kernel.report_display import CheckedFlow
from satflow_ext.models import LiveFlow, Preflight, WrittenRegistration
from satflow_ext.registration.preflight import answering, with_choices, with_pool, with_rehearsal
from satflow_ext.settings import Settings


def run(args: argparse.Namespace, everything: Iterable[Wanted], settings: Settings) -> int:
    """Print every report, and return 1 if the registration of at least one flow would be refused."""
    return max(interrupts.run(_run_one(args, wanted, settings)) for wanted in everything)


async def _run_one(args: argparse.Namespace, wanted: Wanted, settings: Settings) -> int:
    code = 0
    async for report in _reports(args, wanted, settings):
        checked = CheckedFlow(report)
        print(report.model_dump_json() if args.json else f"{checked!r}\n", flush=True)
        code = code if checked.ok else 1
    return code


async def _reports(args: argparse.Namespace, wanted: Wanted, settings: Settings) -> AsyncIterator[Preflight]:
    endpoints = await asyncio.to_thread(_answering, settings)
    async with notebook.executed(
        wanted.path, kernel=args.kernel, cell_timeout=args.cell_timeout, endpoints=endpoints
    ) as executed:
        report_left_out(executed, wanted, as_json=args.json)
        for flow, choice in await wanted.flows(executed):
            yield await _report(executed, flow, choice, settings)


def _answering(settings: Settings) -> Endpoints | None:
    try:
        return answering(settings)
    except (PrefectFailed, SettingsWrong, StackFailed):
        return None


async def _report(executed: Notebook, flow: LiveFlow, choice: WrittenRegistration, settings: Settings) -> Preflight:
    found = await executed.preflight(flow, choice)
    report = await with_pool(with_choices(found, choice, settings), choice, settings)
    if report.refused:
        return report
    with scratch.folder(settings, "pack") as folder, scratch.room(folder):
        return await with_rehearsal(report, await executed.pack(flow, choice, folder), choice, settings)
