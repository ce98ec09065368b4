"""The progress of a run group in the terminal, and what continues the group after the command."""

from __future__ import annotations

import sys
from contextlib import aclosing

from satflow_ext import lease
from satflow_ext.commands import interrupts
from satflow_ext.display.group_view import GroupView, counts_text
from satflow_ext.models import MAX_POINTS, RunGroup
from satflow_ext.session import OpenConnection, Session


def follow_group(connection: OpenConnection, group: RunGroup) -> int:
    """Print the progress of a group until all runs have ended; return 0 if all completed, else 1.

    An interrupt ends the command, not the group.
    """
    try:
        ended = interrupts.run(_print_progress(Session(connection), group))
    except KeyboardInterrupt:
        print("The runs were not cancelled.", file=sys.stderr)
        report_continuation(connection, group)
        raise
    return 0 if ended.state == "completed" else 1


def report_continuation(connection: OpenConnection, group: RunGroup) -> None:
    """Print which process submits the remaining runs of a group when this command has ended."""
    if not group.is_active:
        return
    again = f"To follow it: satflow run-groups {group.name!r} --follow"
    if not connection.resolved.local:
        print(
            "The next runs are submitted by a Jupyter server with SatFlow on this machine, or by a command that follows the "
            f"group. {again}",
            file=sys.stderr,
        )
        return
    report = lease.read_report(connection.settings)
    if report is not None and report.leases == 1 and not report.stays:
        print(
            "The local stack stops with its last lease, and the group continues when it starts again. Run `satflow up` to keep "
            "it running.",
            file=sys.stderr,
        )
    else:
        print(f"The local stack submits the next runs. {again}", file=sys.stderr)


async def _print_progress(session: Session, group: RunGroup) -> RunGroup:
    printed: tuple[str | None, ...] = (counts_text(group), None)
    async with aclosing(session.run_groups.follow(group.id)) as states:
        async for group in states:
            current = (counts_text(group), group.problem)
            for text in current:
                if text and text not in printed:
                    print(text, flush=True)
            printed = current
    print(GroupView(group, await session.run_groups.read_points(group.id, limit=MAX_POINTS)))
    return group
