"""`satflow logs NAME`: print a run's log so far, or follow it to its end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.errors import SatflowError
from satflow_ext.session import Session
from satflow_ext.settings import load_settings
from satflow_ext.terminal_text import get_unfiltered

INDENT = "    "
"""The prefix of the second and further lines of a message."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("run", help="the run's id or name, or a deployment, of which the latest run is meant")
    parser.add_argument("--follow", action="store_true", help="continue until the run ends; exit 1 unless it completes")
    parser.add_argument("--raw", action="store_true", help="print control characters of log lines as they are")
    parser.add_argument("--show-cluster", action="store_true", help="with --follow: also show its Dask cluster")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the log."""
    refuse_extra_arguments(rest, "logs")
    with connect(load_settings()) as connection:
        session = Session(connection)
        found = interrupts.run(session.find_run(args.run))
        if args.follow:
            from satflow_ext.commands import watch

            return watch.follow_run(connection, found.id, show_cluster=args.show_cluster, raw=args.raw)
        interrupts.run(_print_log(session, found.id, raw=args.raw))
    return 0


async def _print_log(session: Session, run_id: str, *, raw: bool) -> None:
    begun = False
    output = get_unfiltered(sys.stdout) if raw else sys.stdout
    try:
        async for text in session.runs.stream_whole_log(run_id, "" if raw else INDENT):
            output.write(text)
            begun = True
    except SatflowError:
        if begun:
            sys.stdout.flush()
            print("… the log is incomplete: it ends here because of an error.", file=sys.stderr)
        raise
