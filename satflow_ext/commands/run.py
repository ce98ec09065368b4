"""`satflow run DEPLOYMENT`: start a run, or a run group, and optionally follow it to its end."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.group_options import add_group_options, parse_group_request
from satflow_ext.models import RunGroupRequest
from satflow_ext.session import OpenConnection, Session
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
    parser.add_argument(
        "--follow",
        action="store_true",
        help="show its log, or the progress of the group, until it ends; exit 1 unless it completes",
    )
    parser.add_argument("--show-cluster", action="store_true", help="with --follow: also show its Dask cluster")
    add_group_options(parser)


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start the run."""
    refuse_extra_arguments(rest, "run")
    request = parse_group_request(args, args.deployment)
    with connect(load_settings()) as connection:
        if request is not None:
            return _run_group(connection, request, args)
        started = interrupts.run(
            Session(connection).run_deployment(args.deployment, texts=_parse_assignments(args.param))
        )
        print(f"run {started.name} ({started.id})", flush=True)
        if not args.follow:
            return 0
        from satflow_ext.commands import watch  # after the request: the run starts in the meantime

        return watch.follow_run(connection, started.id, show_cluster=args.show_cluster)


def _run_group(connection: OpenConnection, request: RunGroupRequest, args: argparse.Namespace) -> int:
    from satflow_ext.commands import watch_group
    from satflow_ext.display.group_view import PlanView, counts_text

    groups, texts = Session(connection).run_groups, _parse_assignments(args.param)
    if args.dry_run:
        print(PlanView(interrupts.run(groups.plan(request, texts))))
        return 0
    started = interrupts.run(groups.start(request, texts))
    print(f"run group {started.name}: {counts_text(started)}", flush=True)
    if args.follow:
        return watch_group.follow_group(connection, started)
    watch_group.report_continuation(connection, started)
    return 0


def _parse_assignments(words: Sequence[str]) -> dict[str, str]:
    if not words:
        return {}
    from satflow_ext.choices import parse_assignments

    return parse_assignments(words, "--param", "parameter", "parameters")
