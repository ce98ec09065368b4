"""The `DaskCluster` resource that the Dask operator of a Kubernetes cluster receives.

`dask_kubernetes.make_cluster_spec` is not used: it starts schedulers with a script that distributed has removed, gives
scheduler and Dask workers the same resources, and serves the dashboard to any client that can reach the pod.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from satflow_ext.backends.base import Asked

CUSTOM = "custom_cluster_spec"
GPU = "nvidia.com/gpu"
SCHEDULER = ("dask", "scheduler", "--host", "0.0.0.0", "--no-dashboard")  # noqa: S104 - in a pod, reached through its service
WORKER = ("dask", "worker", "--name", "$(DASK_WORKER_NAME)", "--no-dashboard", "--death-timeout", "120")
QUIET_SCHEDULER = {"DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "['distributed.http.health']"}
QUIET_WORKER = {"DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]"}
"""Serve no pages on the HTTP ports, which require no credential. Kubernetes reads the scheduler's health there."""

PORTS = {"tcp-comm": 8786, "http-dashboard": 8787}
"""The operator finds the scheduler's ports by these names."""


def manifest(asked: Asked, name: str) -> dict[str, Any]:
    """Build the `DaskCluster` with this name, starting from `custom_cluster_spec` if it is set.

    A custom specification keeps its containers, except for the image, the size and the number of Dask workers if these
    were requested.
    """
    given = asked.options.get(CUSTOM)
    made: dict[str, Any] = copy.deepcopy(given) if isinstance(given, dict) else _fresh(asked)
    spec: Any = made["spec"]
    made["metadata"] = {**(made.get("metadata") or {}), "name": name}
    spec["idleTimeout"] = math.ceil(asked.idle_timeout)
    spec["worker"]["replicas"] = asked.first_workers
    spec["scheduler"]["service"] = _service(asked, name) | spec["scheduler"].get("service", {})
    spec["scheduler"]["service"]["selector"] = _selector(name)
    for part in ("scheduler", "worker"):
        _furnish(spec[part]["spec"]["containers"][0], asked)
    if asked.size is not None:
        spec["worker"]["spec"]["containers"][0]["resources"] = _resources(asked)
    return made


def _fresh(asked: Asked) -> dict[str, Any]:
    probe = {"httpGet": {"port": "http-dashboard", "path": "/health"}}
    scheduler = {
        "name": "scheduler",
        "args": [*SCHEDULER],
        "env": _env(QUIET_SCHEDULER),
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in PORTS.items()],
        "readinessProbe": {**probe, "periodSeconds": 1, "timeoutSeconds": 300},
        "livenessProbe": {**probe, "initialDelaySeconds": 15, "periodSeconds": 20},
    }
    worker = {"name": "worker", "args": [*WORKER, *_limits(asked)], "env": _env(QUIET_WORKER)}
    return {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskCluster",
        "spec": {
            "scheduler": {"spec": {"containers": [scheduler]}},
            "worker": {"spec": {"containers": [worker]}},
        },
    }


def _furnish(container: dict[str, Any], asked: Asked) -> None:
    """Set the image and the environment, which all containers share."""
    image, env = asked.options.get("image"), asked.options.get("env")
    if image is not None:
        container["image"] = image
    if isinstance(env, dict):
        container["env"] = [each for each in container.get("env", []) if each["name"] not in env] + _env(env)


def _limits(asked: Asked) -> list[str]:
    """Return arguments with the worker size: Dask detects the machine's resources instead of the container's limits."""
    if asked.size is None:
        return []
    gpus = ["--resources", f"GPU={asked.gpus}"] if asked.gpus else []
    return ["--nthreads", str(asked.cores), "--memory-limit", str(asked.memory), *gpus]


def _resources(asked: Asked) -> dict[str, dict[str, str]]:
    """Return equal requests and limits for a Dask worker. Quantities are strings: the operator accepts nothing else."""
    size = {"cpu": str(asked.cores), "memory": str(asked.memory)} | ({GPU: str(asked.gpus)} if asked.gpus else {})
    return {"requests": size, "limits": dict(size)}


def _service(asked: Asked, name: str) -> dict[str, Any]:
    return {
        "type": asked.options.get("scheduler_service_type") or "ClusterIP",
        "selector": _selector(name),
        "ports": [
            {"name": port, "protocol": "TCP", "port": number, "targetPort": port} for port, number in PORTS.items()
        ],
    }


def _selector(name: str) -> dict[str, str]:
    return {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}


def _env(values: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": str(value)} for name, value in values.items()]
