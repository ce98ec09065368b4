"""Arguments of `%dask_cluster` and `satflow clusters`: parsing, execution and output."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pydantic import ValidationError

from satflow_ext.models import ClusterOrder, SharedCluster
from satflow_ext.validation_errors import convert_first_error

if TYPE_CHECKING:
    from satflow_ext.session import Session

VERBS = {
    "list": "list the clusters that persist between runs, and why Dask workers are missing",
    "start": "start a deployment's cluster before its runs, and wait until it is ready",
    "scale": "set a fixed number of Dask workers",
    "adapt": "scale the number of Dask workers with the workload, between a minimum and a maximum",
    "restart": "stop the cluster and start a new one; runs that use it fail",
    "close": "stop the cluster; runs that use it fail",
}


def add_cluster_commands(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Add the verbs and their arguments to a parser. Return the subparsers, for further verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        verb = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", add_help=parser.add_help)
        if name != "list":
            verb.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
        if name == "scale":
            verb.add_argument("workers", type=int, help="number of Dask workers")
        if name == "adapt":
            verb.add_argument("--minimum", type=int, default=0, help="minimum number of Dask workers (default: 0)")
            verb.add_argument("--maximum", type=int, required=True, help="maximum number of Dask workers")
    return verbs


async def run_command(args: argparse.Namespace, session: Session) -> tuple[SharedCluster, ...]:
    """Execute a command, and return the status of the affected clusters afterwards.

    Raises:
        DeploymentNotFound: no deployment has this name.
        BadRequest: the deployment's runs share no cluster, or a number is not valid.
        ClusterFailed: the cluster did not execute the command; the subclass states the reason.
    """
    if args.verb == "list":
        return await session.clusters.list_all()
    order = None if args.verb == "close" else _build_order(args)
    found = await session.deployments.find_deployment(args.deployment)
    if order is not None:
        return (await session.clusters.apply_order(found.id, order),)
    await session.clusters.close_cluster(found.id)
    return (await session.clusters.read_cluster(found.id),)


def format_clusters(clusters: tuple[SharedCluster, ...]) -> str:
    """Format one line for each cluster."""
    return "\n".join(map(_format_cluster, clusters)) or "No deployment has a cluster that persists between runs."


def _build_order(args: argparse.Namespace) -> ClusterOrder:
    names = {"scale": ("workers",), "adapt": ("minimum", "maximum")}.get(args.verb, ())
    try:
        return ClusterOrder.model_validate(
            {"order": {"do": args.verb, **{name: getattr(args, name) for name in names}}}
        )
    except ValidationError as error:
        raise convert_first_error(error) from None


def _format_cluster(cluster: SharedCluster) -> str:
    if cluster.state == "none":
        return f"{cluster.deployment_name}: no cluster"
    size = f" of size {cluster.worker_size}" if cluster.worker_size else ""
    since = f", since {cluster.started.astimezone():%Y-%m-%d %H:%M}" if cluster.started else ""
    where = ", at its address" if cluster.gateway is None else f", on {cluster.gateway}" if cluster.gateway else ""
    reason = f"\n    {cluster.why}" if cluster.why else ""
    return f"{cluster.deployment_name}: {cluster.state}, {_format_workers(cluster)}{size}{since}{where}{reason}"


def _format_workers(cluster: SharedCluster) -> str:
    """Format the number of workers: `3 Dask workers`, or `1 of 3 Dask workers`."""
    count = cluster.workers if cluster.plan is None else cluster.plan
    of_plan = "" if cluster.plan is None or cluster.plan == cluster.workers else f"{cluster.workers} of "
    return f"{of_plan}{count} Dask worker{'' if count == 1 else 's'}"
