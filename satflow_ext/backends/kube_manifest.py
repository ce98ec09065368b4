"""The `DaskCluster` resource that the Dask operator of a Kubernetes cluster receives.

`dask_kubernetes.make_cluster_spec` is not used: it starts schedulers with a script that distributed has removed, gives
scheduler and Dask workers the same resources, and serves the dashboard to any client that can reach the pod.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from satflow_ext.backends.provider import ProviderRequest

CUSTOM_SPEC = "custom_cluster_spec"
GPU = "nvidia.com/gpu"
SCHEDULER_COMMAND = ("dask", "scheduler", "--host", "0.0.0.0", "--no-dashboard")  # noqa: S104 - in a pod, reached through its service
WORKER_COMMAND = ("dask", "worker", "--name", "$(DASK_WORKER_NAME)", "--no-dashboard", "--death-timeout", "120")
SCHEDULER_ENV = {"DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "['distributed.http.health']"}
WORKER_ENV = {"DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]"}
"""Serve no pages on the HTTP ports, which require no credential. Kubernetes reads the scheduler's health there."""

PORTS = {"tcp-comm": 8786, "http-dashboard": 8787}
"""The operator finds the scheduler's ports by these names."""


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
