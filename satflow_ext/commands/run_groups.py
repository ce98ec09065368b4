"""`satflow run-groups [NAME]`: list the run groups of this machine, or show, follow, repair or cancel one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext.commands import interrupts, watch_group
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.display.group_view import GroupView, counts_text
from satflow_ext.errors import BadRequest
from satflow_ext.models import MAX_POINTS, RunGroup, RunGroupDetail, RunGroupList
from satflow_ext.session import OpenConnection, RunGroups, Session
from satflow_ext.settings import load_settings

MAX_LISTED = 500
"""Maximum number of groups in the list."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("name", nargs="?", help="name or id of a run group (default: list all)")
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--retry-failed", action="store_true", help="start new runs of the points that failed")
    actions.add_argument("--cancel", action="store_true", help="cancel its runs, and start no further ones")
    parser.add_argument(
        "--follow", action="store_true", help="show its progress until all runs have ended; exit 1 unless all complete"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for one group with its points")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Show or change run groups."""
    refuse_extra_arguments(rest, "run-groups")
    if args.name is None and (args.retry_failed or args.cancel or args.follow):
        raise BadRequest("The command names no run group.", fix="Write satflow run-groups NAME with this option.")
    with connect(load_settings()) as connection:
        if args.name is None:
            return _print_list(connection, as_json=args.json)
        group = interrupts.run(_change_group(Session(connection).run_groups, args))
        if args.follow and not args.json:
            return watch_group.follow_group(connection, group)
        detail = interrupts.run(_read_detail(Session(connection).run_groups, group, wait=args.follow))
        print(detail.model_dump_json(indent=2) if args.json else GroupView(detail.group, detail.points))
        if not args.follow:
            watch_group.report_continuation(connection, detail.group)
        return 1 if args.follow and detail.group.state != "completed" else 0


def _print_list(connection: OpenConnection, *, as_json: bool) -> int:
    found = interrupts.run(Session(connection).run_groups.list_all(MAX_LISTED))
    if as_json:
        print(RunGroupList(groups=found).model_dump_json(indent=2))
        return 0
    for group in found:
        name = f"{group.flow_name}/{group.deployment_name}"
        print(f"{group.created.astimezone():%Y-%m-%d %H:%M}  {group.state:<10}  {group.name}  ({name})")
        print(f"{'':18}{counts_text(group)}")
    return 0


async def _change_group(groups: RunGroups, args: argparse.Namespace) -> RunGroup:
    if args.retry_failed:
        return await groups.run_failed_again(args.name)
    if args.cancel:
        return await groups.cancel(args.name)
    return await groups.read_group(args.name, every_run=True)


async def _read_detail(groups: RunGroups, group: RunGroup, *, wait: bool) -> RunGroupDetail:
    ended = await groups.wait_for_end(group.id) if wait else group
    return RunGroupDetail(group=ended, points=await groups.read_points(group.id, limit=MAX_POINTS))
