"""Clusters on Kubernetes: the Dask operator creates pods for the scheduler and the Dask workers (dask-kubernetes).

`dask_kubernetes.make_cluster_spec` is not used: it starts schedulers with a script that distributed has removed, gives
scheduler and Dask workers the same resources, and serves the dashboard to any client that can reach the pod.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import uuid4

from satflow_ext.cluster_providers.provider import OPTIONS_FIELD, ClusterProvider, MissingWorkers, ProviderRequest
from satflow_ext.errors import InvalidExecutorOption

CUSTOM_SPEC = "custom_cluster_spec"
GPU = "nvidia.com/gpu"
SCHEDULER_COMMAND = ("dask", "scheduler", "--host", "0.0.0.0", "--no-dashboard")  # noqa: S104 - in a pod, reached through its service
WORKER_COMMAND = ("dask", "worker", "--name", "$(DASK_WORKER_NAME)", "--no-dashboard", "--death-timeout", "120")
SCHEDULER_ENV = {"DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "['distributed.http.health']"}
WORKER_ENV = {"DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]"}
"""Serve no pages on the HTTP ports, which require no credential. Kubernetes reads the scheduler's health there."""

PORTS = {"tcp-comm": 8786, "http-dashboard": 8787}
"""The operator finds the scheduler's ports by these names."""
OPTION_TYPES = (
    ("image", str, "the name of an image"),
    ("namespace", str, "the name of a namespace"),
    ("env", dict, "a JSON object of names and values"),
    ("scheduler_service_type", str, "a type of service, such as ClusterIP"),
)
MANIFEST_OPTIONS = frozenset({"image", "env", "scheduler_service_type", CUSTOM_SPEC})
"""Options that become part of the manifest."""
OWNED_ARGUMENTS = {
    "n_workers": "n_workers",
    "resources": "worker_size",
    "idle_timeout": "idle_timeout",
    "resource_timeout": "start_timeout",
    **dict.fromkeys(
        ("asynchronous", "create_mode", "jupyter", "loop", "name", "quiet", "shutdown_on_close", "worker_command"), ""
    ),
}
MAX_LISTED_PODS = 3
"""Maximum number of pods to list; most wait for the same reason."""


def build_manifest(request: ProviderRequest, name: str) -> dict[str, Any]:
    """Build the `DaskCluster` with this name, starting from `custom_cluster_spec` if it is set.

    A custom specification keeps its containers, except for the image, the size and the number of Dask workers if these
    were requested.
    """
    given = request.options.get(CUSTOM_SPEC)
    made: dict[str, Any] = copy.deepcopy(given) if isinstance(given, dict) else _default_manifest(request)
    spec: Any = made["spec"]
    made["metadata"] = {**(made.get("metadata") or {}), "name": name}
    spec["idleTimeout"] = math.ceil(request.idle_timeout)
    spec["worker"]["replicas"] = request.initial_workers
    spec["scheduler"]["service"] = _scheduler_service(request, name) | spec["scheduler"].get("service", {})
    spec["scheduler"]["service"]["selector"] = _scheduler_selector(name)
    for part in ("scheduler", "worker"):
        _configure_container(spec[part]["spec"]["containers"][0], request)
    if request.size is not None:
        spec["worker"]["spec"]["containers"][0]["resources"] = _worker_resources(request)
    return made


def _default_manifest(request: ProviderRequest) -> dict[str, Any]:
    probe = {"httpGet": {"port": "http-dashboard", "path": "/health"}}
    scheduler = {
        "name": "scheduler",
        "args": [*SCHEDULER_COMMAND],
        "env": _env_entries(SCHEDULER_ENV),
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in PORTS.items()],
        "readinessProbe": {**probe, "periodSeconds": 1, "timeoutSeconds": 300},
        "livenessProbe": {**probe, "initialDelaySeconds": 15, "periodSeconds": 20},
    }
    worker = {
        "name": "worker",
        "args": [*WORKER_COMMAND, *_worker_size_arguments(request)],
        "env": _env_entries(WORKER_ENV),
    }
    return {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskCluster",
        "spec": {
            "scheduler": {"spec": {"containers": [scheduler]}},
            "worker": {"spec": {"containers": [worker]}},
        },
    }


def _configure_container(container: dict[str, Any], request: ProviderRequest) -> None:
    """Set the image and the environment, which all containers share."""
    image, env = request.options.get("image"), request.options.get("env")
    if image is not None:
        container["image"] = image
    if isinstance(env, dict):
        container["env"] = [each for each in container.get("env", []) if each["name"] not in env] + _env_entries(env)


def _worker_size_arguments(request: ProviderRequest) -> list[str]:
    """Return arguments with the worker size: Dask detects the machine's resources instead of the container's limits."""
    if request.size is None:
        return []
    gpus = ["--resources", f"GPU={request.gpus}"] if request.gpus else []
    return ["--nthreads", str(request.cores), "--memory-limit", str(request.memory), *gpus]


def _worker_resources(request: ProviderRequest) -> dict[str, dict[str, str]]:
    """Return equal requests and limits for a Dask worker. Quantities are strings: the operator accepts nothing else."""
    size = {"cpu": str(request.cores), "memory": str(request.memory)} | (
        {GPU: str(request.gpus)} if request.gpus else {}
    )
    return {"requests": size, "limits": dict(size)}


def _scheduler_service(request: ProviderRequest, name: str) -> dict[str, Any]:
    return {
        "type": request.options.get("scheduler_service_type") or "ClusterIP",
        "selector": _scheduler_selector(name),
        "ports": [
            {"name": port, "protocol": "TCP", "port": number, "targetPort": port} for port, number in PORTS.items()
        ],
    }


def _scheduler_selector(name: str) -> dict[str, str]:
    return {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}


def _env_entries(values: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": str(value)} for name, value in values.items()]


def make_arguments(request: ProviderRequest) -> dict[str, Any]:
    """Return the generated manifest and the other arguments of the class."""
    rest = {name: value for name, value in request.options.items() if name not in MANIFEST_OPTIONS}
    return {
        **rest,
        CUSTOM_SPEC: build_manifest(request, f"satflow-{uuid4().hex[:12]}"),
        "resource_timeout": math.ceil(request.start_timeout),
        "shutdown_on_close": True,
        "quiet": True,
    }


def validate_request(request: ProviderRequest) -> None:
    """Refuse options that no Kubernetes cluster could run.

    Raises:
        InvalidExecutorOption: there is no image, an option has the wrong type, or the custom specification is invalid.
    """
    custom = request.options.get(CUSTOM_SPEC)
    for name, kind, words in OPTION_TYPES:
        if not isinstance(request.options.get(name), kind | None):
            raise _invalid_option(
                f"{name!r} of kubernetes must be {words}.", f"Leave {name} out, or set it to {words}."
            )
    if custom is None and not request.options.get("image"):
        raise _invalid_option(
            "The cluster provider kubernetes needs an image.",
            'Set backend_options to {"image": "…"}, an image with the packages and the Python of the flow\'s environment.',
        )
    if custom is not None and not _is_dask_cluster(custom):
        raise _invalid_option(
            f"{CUSTOM_SPEC} is not a DaskCluster.",
            "Provide one with spec.scheduler.spec.containers and spec.worker.spec.containers, such as the result of "
            "dask_kubernetes.operator.make_cluster_spec.",
        )


def _is_dask_cluster(custom: Any) -> bool:
    try:
        parts = [custom["spec"][part]["spec"]["containers"][0] for part in ("scheduler", "worker")]
    except (KeyError, IndexError, TypeError):
        return False
    return custom.get("kind") == "DaskCluster" and all(isinstance(each, dict) for each in parts)


def _invalid_option(message: str, fix: str) -> InvalidExecutorOption:
    return InvalidExecutorOption(message, fix=fix, field=OPTIONS_FIELD)


def find_missing_workers(cluster: Any) -> MissingWorkers:
    """Find out why pods of a `KubeCluster` do not run."""
    return cluster.sync(_list_waiting_pods, cluster)  # type: ignore[no-any-return]  # the result of `_list_waiting_pods`


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
    problems = [
        f"pod {each['metadata']['name']} {problem}" for each in pods if (problem := next(_pod_problems(each), None))
    ]
    more = [f"and {len(problems) - MAX_LISTED_PODS} more"] if len(problems) > MAX_LISTED_PODS else []
    return MissingWorkers(reason=", ".join([*problems[:MAX_LISTED_PODS], *more]) or None)


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


KUBERNETES = ClusterProvider(
    name="kubernetes",
    cluster_class="dask_kubernetes.operator:KubeCluster",
    make_arguments=make_arguments,
    install="pip install 'satflow-ext[kubernetes]'",
    owned_arguments=OWNED_ARGUMENTS,
    validate_request=validate_request,
    find_missing_workers=find_missing_workers,
)
