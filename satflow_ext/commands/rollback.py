"""`satflow rollback DEPLOYMENT VERSION`: register an earlier version again, as the next version."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.commands.register import format_result
from satflow_ext.endpoints import Endpoints
from satflow_ext.models import Registered
from satflow_ext.registration import deployments
from satflow_ext.registration.rollback import roll_back
from satflow_ext.settings import Settings, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
    parser.add_argument("version", type=int, help="the number of the version to restore, from `satflow versions`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Roll back and print the result."""
    refuse_extra_arguments(rest, "rollback")
    settings = load_settings()
    with connect(settings) as endpoints:
        done = interrupts.run(_roll_back(endpoints, settings, args.deployment, args.version))
    print(done.model_dump_json(indent=2) if args.json else format_result(done))
    return 0


async def _roll_back(endpoints: Endpoints, settings: Settings, name: str, version: int) -> Registered:
    deployment = await deployments.find_deployment(endpoints, name)
    return await roll_back(endpoints, settings, deployment.id, version)
