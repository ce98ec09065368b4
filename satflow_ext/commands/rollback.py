"""`satflow rollback DEPLOYMENT VERSION`: register an earlier version again, as the next version."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.display.registered_flow import format_result
from satflow_ext.models import Registered
from satflow_ext.session import Session
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
    parser.add_argument("version", type=int, help="the number of the version to restore, from `satflow versions`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Roll back and print the result."""
    refuse_extra_arguments(rest, "rollback")
    with connect(load_settings()) as connection:
        done = interrupts.run(_roll_back(Session(connection), args.deployment, args.version))
    print(done.model_dump_json(indent=2) if args.json else format_result(done))
    return 0


async def _roll_back(session: Session, name: str, version: int) -> Registered:
    deployment = await session.deployments.find_deployment(name)
    return await session.deployments.roll_back(deployment.id, version)
