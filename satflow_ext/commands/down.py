"""`satflow down`: end the local stack, whoever uses it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext import lease
from satflow_ext.commands.argument_words import refuse_rest
from satflow_ext.settings import load_settings


def configure(_parser: argparse.ArgumentParser) -> None:
    """There are no flags."""


def run(_args: argparse.Namespace, rest: Sequence[str]) -> int:
    """End it, and say so."""
    refuse_rest(rest, "down")
    settings = load_settings()
    found = lease.report(settings)
    if not lease.stop(settings):
        print("The local stack does not run.")
        return 0
    users = found.leases if found else 0
    print(f"The local stack has ended.{f' {users} that used it lost it.' if users else ''}")
    return 0
