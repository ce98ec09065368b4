"""Reasons from Kubernetes why the pods of missing Dask workers do not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from satflow_ext.backends.base import Missing

SHOWN = 3
"""Maximum number of pods to list; most wait for the same reason."""


def look(cluster: Any) -> Missing:
    """Find out why pods of a `KubeCluster` do not run."""
    return cluster.sync(_look, cluster)  # type: ignore[no-any-return]  # the result of `_look`


async def _look(cluster: Any) -> Missing:
    import httpx
    import kr8s.asyncio

    selector = f"dask.org/cluster-name={cluster.name}"
    try:
        pods = [
            each.raw async for each in kr8s.asyncio.get("pods", namespace=cluster.namespace, label_selector=selector)
        ]
    except (httpx.HTTPError, kr8s.APITimeoutError, kr8s.ServerError) as error:
        return Missing(why=f"Kubernetes does not answer: {type(error).__name__}")
    return tell(pods)


def tell(pods: Iterable[Mapping[str, Any]]) -> Missing:
    """Summarize pods, as returned by the Kubernetes API, that do not run, with the reasons."""
    said = [f"pod {each['metadata']['name']} {why}" for each in pods if (why := next(_reasons(each), None))]
    more = [f"and {len(said) - SHOWN} more"] if len(said) > SHOWN else []
    return Missing(why=", ".join([*said[:SHOWN], *more]) or None)


def _reasons(pod: Mapping[str, Any]) -> Iterator[str]:
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
