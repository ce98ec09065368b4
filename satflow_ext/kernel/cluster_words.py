"""The words after `%dask_cluster` and `satflow clusters`: what they are, what they ask for, and what is said of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pydantic import ValidationError

from satflow_ext.kernel.cluster_list import look_at_all
from satflow_ext.models import ClusterOrder, SharedCluster
from satflow_ext.validation_errors import first_mistake

if TYPE_CHECKING:
    from satflow_ext.endpoints import Endpoints
    from satflow_ext.settings import Settings

VERBS = {
    "list": "the clusters that deployments have also between runs, and why Dask workers are missing",
    "start": "start a deployment's cluster ahead of its runs, and wait until it is ready",
    "scale": "a fixed number of Dask workers",
    "adapt": "as many Dask workers as there is work for, between two numbers",
    "restart": "end the cluster and start another one; runs that use it fail",
    "close": "end the cluster; runs that use it fail",
}


def configure(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Add the verbs and their words. Gives what further verbs are added to."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        verb = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", add_help=parser.add_help)
        if name != "list":
            verb.add_argument("deployment", help="flow/deployment, the deployment's name, or its id")
        if name == "scale":
            verb.add_argument("workers", type=int, help="how many")
        if name == "adapt":
            verb.add_argument("--minimum", type=int, default=0, help="the least (default: 0)")
            verb.add_argument("--maximum", type=int, required=True, help="the most")
    return verbs


async def carry_out(args: argparse.Namespace, endpoints: Endpoints, settings: Settings) -> tuple[SharedCluster, ...]:
    """Do what the words say; the clusters in question as they are afterwards.

    Raises:
        DeploymentNotFound: no deployment answers to the name.
        BadRequest: its runs share no cluster, or a number makes no sense.
        ClusterFailed: it did not do it; the subclass says why.
    """
    if args.verb == "list":
        return await look_at_all(endpoints, settings)
    from satflow_ext.registration import clusters, deployment_lookup

    order = None if args.verb == "close" else _order(args)
    found = await deployment_lookup.find(endpoints, settings, args.deployment)
    if order is not None:
        return (await clusters.obey(endpoints, settings, found.id, order),)
    await clusters.close(endpoints, settings, found.id)
    return (await clusters.look(endpoints, settings, found.id),)


def told(clusters: tuple[SharedCluster, ...]) -> str:
    """One line for each."""
    return "\n".join(map(_line, clusters)) or "No deployment has a cluster between its runs."


def _order(args: argparse.Namespace) -> ClusterOrder:
    names = {"scale": ("workers",), "adapt": ("minimum", "maximum")}.get(args.verb, ())
    try:
        return ClusterOrder.model_validate(
            {"order": {"do": args.verb, **{name: getattr(args, name) for name in names}}}
        )
    except ValidationError as error:
        raise first_mistake(error) from None


def _line(cluster: SharedCluster) -> str:
    if cluster.state == "none":
        return f"{cluster.deployment_name}: no cluster"
    size = f" of size {cluster.worker_size}" if cluster.worker_size else ""
    since = f", since {cluster.started.astimezone():%Y-%m-%d %H:%M}" if cluster.started else ""
    where = ", at its address" if cluster.gateway is None else f", on {cluster.gateway}" if cluster.gateway else ""
    why = f"\n    {cluster.why}" if cluster.why else ""
    return f"{cluster.deployment_name}: {cluster.state}, {_workers(cluster)}{size}{since}{where}{why}"


def _workers(cluster: SharedCluster) -> str:
    """`3 Dask workers`, or `1 of 3 Dask workers`."""
    count = cluster.workers if cluster.plan is None else cluster.plan
    of_plan = "" if cluster.plan is None or cluster.plan == cluster.workers else f"{cluster.workers} of "
    return f"{of_plan}{count} Dask worker{'' if count == 1 else 's'}"
