"""`satflow retry RUN`: execute a failed run again, as the same run, and optionally follow it to its end."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.session import Session
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("run", help="the run's id or name, or a deployment, of which the latest run is meant")
    parser.add_argument("--follow", action="store_true", help="show its log until it ends; exit 1 unless it completes")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Retry the run."""
    refuse_extra_arguments(rest, "retry")
    with connect(load_settings()) as connection:
        session = Session(connection)
        found = interrupts.run(session.find_run(args.run))
        retried = interrupts.run(session.runs.retry_run(found.id))
        print(f"run {retried.name} ({retried.id}) is executed again", flush=True)
        if not args.follow:
            return 0
        from satflow_ext.commands import watch  # after the request: the run starts in the meantime

        return watch.follow_run(connection, retried.id)
