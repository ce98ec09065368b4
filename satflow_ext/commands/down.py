"""`satflow down`: stop the local stack, even if other processes use it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext import lease
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.settings import load_settings


def configure(_parser: argparse.ArgumentParser) -> None:
    """Add no flags."""


def run(_args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Stop the local stack and report it."""
    refuse_extra_arguments(rest, "down")
    settings = load_settings()
    found = lease.read_report(settings)
    if not lease.stop_stack(settings):
        print("The local stack is not running.")
        return 0
    users = found.leases if found else 0
    print(f"The local stack has stopped.{f' Leases that it ended: {users}.' if users else ''}")
    return 0
