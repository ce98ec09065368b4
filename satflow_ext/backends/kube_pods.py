"""Reasons from Kubernetes why the pods of missing Dask workers do not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from satflow_ext.backends.provider import MissingWorkers

MAX_LISTED_PODS = 3
"""Maximum number of pods to list; most wait for the same reason."""


def find_missing_workers(cluster: Any) -> MissingWorkers:
    """Find out why pods of a `KubeCluster` do not run."""
    return cluster.sync(_list_waiting_pods, cluster)  # type: ignore[no-any-return]  # the result of `_look`


async def _list_waiting_pods(cluster: Any) -> MissingWorkers:
    import httpx
    import kr8s.asyncio

    selector = f"dask.org/cluster-name={cluster.name}"
    try:
        pods = [
            each.raw async for each in kr8s.asyncio.get("pods", namespace=cluster.namespace, label_selector=selector)
        ]
    except (httpx.HTTPError, kr8s.APITimeoutError, kr8s.ServerError) as error:
        return MissingWorkers(reason=f"Kubernetes does not answer: {type(error).__name__}")
    return summarize_pods(pods)


def summarize_pods(pods: Iterable[Mapping[str, Any]]) -> MissingWorkers:
    """Summarize pods, as returned by the Kubernetes API, that do not run, with the reasons."""
    said = [f"pod {each['metadata']['name']} {why}" for each in pods if (why := next(_pod_problems(each), None))]
    more = [f"and {len(said) - MAX_LISTED_PODS} more"] if len(said) > MAX_LISTED_PODS else []
    return MissingWorkers(reason=", ".join([*said[:MAX_LISTED_PODS], *more]) or None)


def _pod_problems(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield reasons, most specific first: a waiting container, the condition from the Kubernetes scheduler, the phase."""
    status = pod.get("status", {})
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            yield f"waits: {waiting['reason']} {waiting.get('message', '')}".rstrip()
    for condition in status.get("conditions", ()):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield f"is pending: {condition.get('message') or condition.get('reason')}".rstrip(".")
    if status.get("phase") in ("Failed", "Pending", "Unknown"):
        yield f"is {status['phase'].lower()}"
