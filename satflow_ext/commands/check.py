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
from satflow_ext.commands.flow_selection import FlowSelection, report_skipped_cells
from satflow_ext.commands.notebook import Notebook
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import PrefectFailed, SettingsWrong, StackFailed
from satflow_ext.kernel.report_display import CheckedFlow
from satflow_ext.models import LiveFlow, Preflight, WrittenRegistration
from satflow_ext.registration.preflight import (
    add_choice_findings,
    add_clean_load,
    add_work_pool_findings,
    find_running_endpoints,
)
from satflow_ext.settings import Settings


def check_flows(args: argparse.Namespace, selections: Iterable[FlowSelection], settings: Settings) -> int:
    """Print every report, and return 1 if the registration of at least one flow would be refused."""
    return max(interrupts.run(_check_file(args, selection, settings)) for selection in selections)


async def _check_file(args: argparse.Namespace, selection: FlowSelection, settings: Settings) -> int:
    code = 0
    async for report in _preflight_reports(args, selection, settings):
        checked = CheckedFlow(report)
        print(report.model_dump_json() if args.json else f"{checked!r}\n", flush=True)
        code = code if checked.ok else 1
    return code


async def _preflight_reports(
    args: argparse.Namespace, selection: FlowSelection, settings: Settings
) -> AsyncIterator[Preflight]:
    endpoints = await asyncio.to_thread(_find_answering_endpoints, settings)
    async with notebook.execute_notebook(
        selection.path, kernel=args.kernel, cell_timeout=args.cell_timeout, endpoints=endpoints
    ) as executed:
        report_skipped_cells(executed, selection, as_json=args.json)
        for flow, choice in await selection.find_flows(executed):
            yield await _preflight_report(executed, flow, choice, settings)


def _find_answering_endpoints(settings: Settings) -> Endpoints | None:
    try:
        return find_running_endpoints(settings)
    except (PrefectFailed, SettingsWrong, StackFailed):
        return None


async def _preflight_report(
    executed: Notebook, flow: LiveFlow, choice: WrittenRegistration, settings: Settings
) -> Preflight:
    found = await executed.preflight(flow, choice)
    report = await add_work_pool_findings(add_choice_findings(found, choice, settings), choice, settings)
    if report.has_errors:
        return report
    with scratch.scratch_folder(settings, "pack") as folder, scratch.report_disk_full(folder):
        return await add_clean_load(report, await executed.pack(flow, choice, folder), choice, settings)
