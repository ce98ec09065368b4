"""`satflow clusters`: manage the shared clusters of deployments before and between runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from satflow_ext import cluster_commands, lease
from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import BadRequest
from satflow_ext.models import SharedCluster
from satflow_ext.session import Session
from satflow_ext.settings import Settings, load_settings

PREWARM = "prewarm"
PREWARM_HELP = "with your own Prefect server: start clusters ahead of scheduled runs, until the command is stopped"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    verbs = cluster_commands.add_cluster_commands(parser)
    verbs.add_parser(PREWARM, help=PREWARM_HELP, description=f"{PREWARM_HELP[0].upper()}{PREWARM_HELP[1:]}.")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Run the verb, and print the resulting state of the clusters."""
    refuse_extra_arguments(rest, "clusters")
    settings = load_settings()
    with connect(settings) as connection:
        if args.verb == PREWARM:
            return _prewarm(connection.resolved, settings)
        done = interrupts.run(cluster_commands.run_command(args, Session(connection)))
        if _ends_with_command(done, settings):
            print(
                "… The local stack and the cluster end with this command. Run `satflow up` to keep both.",
                file=sys.stderr,
            )
    rows = [each.model_dump(mode="json") for each in done]
    print(json.dumps(rows, indent=2) if args.json else cluster_commands.format_clusters(done))
    return 0


def _prewarm(endpoints: Endpoints, settings: Settings) -> int:
    if endpoints.local:
        raise BadRequest(
            "`satflow clusters prewarm` is not available on the local stack, which starts clusters ahead of runs itself.",
            fix="Use it with your own Prefect server.",
        )
    from satflow_ext.clusters import prewarming

    prewarming.log_to_stderr()
    interrupts.run(prewarming.prewarm_other_server(endpoints, settings))
    return 0


def _ends_with_command(done: tuple[SharedCluster, ...], settings: Settings) -> bool:
    """Return whether a cluster on the local stack ends with this command, which holds the only lease."""
    report = lease.read_report(settings) if any(each.state != "none" and each.gateway == "" for each in done) else None
    return report is not None and not report.stays and report.leases <= 1
