"""`satflow run DEPLOYMENT`: start a run, and optionally follow it to its end."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from uuid import uuid4

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.models import JsonObject, Run, RunRequest
from satflow_ext.session import Session
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter; JSON or text, depending on its type",
    )
    parser.add_argument("--follow", action="store_true", help="show its log until it ends; exit 1 unless it completes")
    parser.add_argument("--show-cluster", action="store_true", help="with --follow: also show its Dask cluster")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start the run."""
    refuse_extra_arguments(rest, "run")
    with connect(load_settings()) as connection:
        started = interrupts.run(_start_run(args, Session(connection)))
        print(f"run {started.name} ({started.id})", flush=True)
        if not args.follow:
            return 0
        from satflow_ext.commands import watch  # after the request: the run starts in the meantime

        return watch.follow_run(connection, started.id, show_cluster=args.show_cluster)


async def _start_run(args: argparse.Namespace, session: Session) -> Run:
    deployment = await session.deployments.find_deployment(args.deployment)
    given = _parse_parameters(args.param, deployment.parameter_schema) if args.param else {}
    request = RunRequest(deployment_id=deployment.id, parameters=given, idempotency_key=str(uuid4()))
    return await session.runs.start_run(request)


def _parse_parameters(assignments: Sequence[str], schema: JsonObject) -> JsonObject:
    from satflow_ext.choices import parse_assignments
    from satflow_ext.parameter_values.by_schema import value_fits
    from satflow_ext.parameter_values.text import text_to_value

    texts = parse_assignments(assignments, "--param", "parameter", "parameters")
    return {name: text_to_value(text, partial(value_fits, name, schema=schema)) for name, text in texts.items()}
