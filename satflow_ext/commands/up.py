"""`satflow up`: start the local stack, and let it run until `satflow down`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from satflow_ext import endpoints, lease, settings
from satflow_ext.commands.status import told
from satflow_ext.commands.words import refuse_rest


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--timeout", type=float, default=90, help="seconds to wait (default: %(default)g)")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start it and say where it is."""
    refuse_rest(rest, "up")
    here = settings.load()
    if not endpoints.needed(here):
        print("The settings name a Prefect API and a store; there is nothing to start on this machine.")
        return 0
    with lease.acquire(here, on_step=_say, stay=True, timeout=args.timeout):
        print(told(here))
    print("It goes on when JupyterLab and this terminal are closed. `satflow down` ends it.")
    return 0


def _say(step: str) -> None:
    print(f"… {step}", file=sys.stderr)
