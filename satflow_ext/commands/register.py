"""`satflow register PATH`: execute notebooks, or import a Python file, and register the flows that they define.

`--check` prints the pre-flight report on each flow: nothing is sent, and the local stack is not started. Cells that run a flow
use the Prefect API if it already answers. Otherwise Prefect's own settings apply, so that such cells still work: Prefect may
start a server in the kernel, without its telemetry.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import cast

from satflow_ext import registration, scratch
from satflow_ext.arguments import Parser
from satflow_ext.choices import EXECUTOR_OPTIONS_HELP, add_registration_options, parse_registration, require_values
from satflow_ext.commands import interrupts, notebook
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.commands.flow_selection import FlowSelection, report_skipped_cells, select_flows
from satflow_ext.commands.in_git import locate_in_git, reference_git_file
from satflow_ext.commands.notebook import Notebook
from satflow_ext.disk_room import check_free_space
from satflow_ext.display.preflight import CheckedFlow
from satflow_ext.display.registered_flow import format_result
from satflow_ext.display.version_diff import format_diff
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import PrefectFailed, SatflowError, SettingsWrong, StackFailed
from satflow_ext.models import ErrorBody, LiveFlow, Preflight, WrittenRegistration
from satflow_ext.registration.preflight import (
    add_choice_findings,
    add_clean_load,
    add_work_pool_findings,
    find_running_endpoints,
)
from satflow_ext.registration.preview import Preview
from satflow_ext.session import OpenConnection, Session
from satflow_ext.settings import Settings, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument(
        "path",
        help="a notebook, a Python file (flows.py:main for one flow of it), or a folder: each notebook in it that has a "
        "%%register_flow line, with the options of that line",
    )
    parser.add_argument("--flow", action="append", default=[], help="register only this flow (repeatable)")
    parser.add_argument("--kernel", help="kernelspec to execute the notebook with (default: the notebook's own)")
    parser.add_argument("--cell-timeout", type=float, help="time limit for one cell, in seconds (default: no limit)")
    parser.add_argument(
        "--storage",
        choices=("store", "git"),
        default="store",
        help="what a run loads: the packed flow (default), or a Python file from its git commit",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would change, without sending anything")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    register_parser = cast(Parser, parser)
    add_registration_options(register_parser)
    parser.epilog = EXECUTOR_OPTIONS_HELP
    parser.set_defaults(known_options=register_parser.options)


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Register the flows and print the results. The first failure ends the command."""
    require_values(rest)
    settings = load_settings()
    everything = select_flows(args.path, args.flow, parse_registration(args, rest, args.known_options))
    if args.check:
        return check_flows(args, everything, settings)
    if args.storage == "git":
        for selection in everything:  # before a stack is started; checked again after packing
            locate_in_git(selection.path)
    with connect(settings) as connection:
        if connection.resolved.local:
            check_free_space((settings.state_dir, settings.runtime_dir))  # before cells run that may take an hour
        for selection in everything:
            try:
                _register_file(args, selection, connection)
            except SatflowError as error:
                if args.json:
                    print(
                        json.dumps({"path": str(selection.path), **ErrorBody.from_error(error).model_dump()}),
                        flush=True,
                    )
                raise
    return 0


def _register_file(args: argparse.Namespace, selection: FlowSelection, connection: OpenConnection) -> None:
    for _, choice in selection.choices:  # before cells run that may take an hour
        registration.check_choices(choice, connection.settings, local=connection.resolved.local)
    interrupts.run(_register_flows(args, selection, connection))


async def _register_flows(args: argparse.Namespace, selection: FlowSelection, connection: OpenConnection) -> None:
    """Register one flow after the other, and print each result at once: after a failure, the user sees what was done."""
    session = Session(connection)
    with scratch.scratch_folder(connection.settings, "pack") as folder:
        async with notebook.execute_notebook(
            selection.path, kernel=args.kernel, cell_timeout=args.cell_timeout, endpoints=connection.resolved
        ) as executed:
            report_skipped_cells(executed, selection, as_json=args.json)
            for flow, choice in await selection.find_flows(executed):
                packed = await executed.pack(flow, choice, folder)
                settled = packed.store_parameters(choice)
                if args.storage == "git":
                    packed = await reference_git_file(packed, selection.path)
                if args.dry_run:
                    _print_preview(
                        await session.preview(packed, settled, overwrite=args.overwrite),
                        as_json=args.json,
                    )
                else:
                    done = await session.register(packed, settled, overwrite=args.overwrite)
                    print(done.model_dump_json() if args.json else format_result(done), flush=True)


def _print_preview(found: Preview, *, as_json: bool) -> None:
    if as_json:
        diff = found.diff.model_dump(mode="json") if found.diff else None
        warnings = [finding.model_dump(mode="json") for finding in found.warnings]
        line = {"deployment": found.full_name, "outcome": found.outcome, "diff": diff, "warnings": warnings}
        print(json.dumps(line), flush=True)
        return
    print(f"{found.full_name}: would be {found.outcome}", flush=True)
    if found.diff:
        print("\n".join(f"  {line}" for line in format_diff(found.diff).splitlines()), flush=True)
    for finding in found.warnings:
        print(f"  warning: {finding.sentence}", flush=True)


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
