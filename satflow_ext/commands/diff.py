"""`satflow diff DEPLOYMENT [A [B]]`: compare two versions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.display.version_diff import format_diff
from satflow_ext.errors import VersionNotFound
from satflow_ext.models import VersionDiff
from satflow_ext.session import Session
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
    parser.add_argument("before", type=int, nargs="?", help="a version (default: the one before the live one)")
    parser.add_argument("after", type=int, nargs="?", help="another version (default: the live one)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the differences."""
    refuse_extra_arguments(rest, "diff")
    with connect(load_settings()) as connection:
        found = interrupts.run(_read_diff(Session(connection), args.deployment, args.before, args.after))
    print(found.model_dump_json(indent=2) if args.json else format_diff(found))
    return 0


async def _read_diff(session: Session, name: str, before: int | None, after: int | None) -> VersionDiff:
    deployment = await session.deployments.find_deployment(name)
    after = deployment.version if after is None else after
    before = deployment.version - 1 if before is None else before
    if before == 0:
        raise VersionNotFound(f"{name} has only one version.", fix="See it with `satflow versions`.")
    return await session.deployments.compare_versions(deployment.id, before, after)
