"""`satflow down`: end the local stack, whoever uses it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext import lease, settings
from satflow_ext.commands.words import refuse_rest


def configure(_parser: argparse.ArgumentParser) -> None:
    """There are no flags."""


def run(_args: argparse.Namespace, rest: Sequence[str]) -> int:
    """End it, and say so."""
    refuse_rest(rest, "down")
    here = settings.load()
    found = lease.report(here)
    if not lease.stop(here):
        print("The local stack does not run.")
        return 0
    users = found.leases if found else 0
    print(f"The local stack has ended.{f' {users} that used it lost it.' if users else ''}")
    return 0
