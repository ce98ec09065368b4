"""`satflow up`: start the local stack, and keep it running until `satflow down`."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence

from satflow_ext import endpoints, lease
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import print_step
from satflow_ext.commands.status import format_status
from satflow_ext.errors import BadRequest
from satflow_ext.settings import Settings, load_settings
from satflow_ext.stack import prefect_database, service_environment, stack_processes
from satflow_ext.stack.stack_lock import take_stack_lock


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument(
        "--timeout",
        type=parse_seconds,
        help="give up after this many seconds (default: wait as long as the start continues)",
    )
    parser.add_argument(
        "--new-database",
        action="store_true",
        help="keep the Prefect server's database as a backup, and start with a new one",
    )


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start the local stack and print its status."""
    refuse_extra_arguments(rest, "up")
    settings = load_settings()
    if not endpoints.list_needed_services(settings):
        print("The settings name a Prefect API and a store; there is nothing to start on this machine.")
        return 0
    if args.new_database:
        _move_database(settings)
    with lease.acquire_lease(settings, on_step=print_step, stay=True, timeout=args.timeout):
        print(format_status(settings))
    print("It keeps running when JupyterLab and this terminal are closed. `satflow down` stops it.")
    return 0


def _move_database(settings: Settings) -> None:
    """Move the database to a backup, while no stack runs and none can start."""
    if service_environment.DATABASE_VARIABLE in os.environ:
        raise BadRequest(
            f"{service_environment.DATABASE_VARIABLE} names the Prefect server's database, which SatFlow does not manage.",
            fix=f"Change {service_environment.DATABASE_VARIABLE} to a new database, or unset it.",
        )
    lock = take_stack_lock(settings)
    if lock is None:
        raise BadRequest("The local stack is running and uses its database.", fix="Stop it with `satflow down` first.")
    with lock:
        stack_processes.end_processes(service_environment.stack_mark(settings))  # left over from a stack that died
        backup = prefect_database.back_up_database(
            service_environment.prefect_home(settings) / service_environment.DATABASE_FILE
        )
    print(f"The database was moved to {backup}." if backup else "There was no database yet.")


def parse_seconds(text: str) -> float:
    """Parse a positive number of seconds.

    Raises:
        ValueError: the text is not a positive number.
    """
    if not 0 < (value := float(text)) < math.inf:
        raise ValueError(text)
    return value
