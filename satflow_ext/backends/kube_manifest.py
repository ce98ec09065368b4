"""The `DaskCluster` that the Dask operator of a Kubernetes cluster is asked for.

Written here and not by `dask_kubernetes.make_cluster_spec`: that one starts schedulers by a script that distributed does not have
any more, gives scheduler and Dask workers the same resources, and serves the dashboard to whoever reaches the pod.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from satflow_ext.backends.base import Asked

CUSTOM = "custom_cluster_spec"
GPU = "nvidia.com/gpu"
SCHEDULER = ("dask", "scheduler", "--host", "0.0.0.0", "--no-dashboard")  # noqa: S104 - of a pod, whose service is reached
WORKER = ("dask", "worker", "--name", "$(DASK_WORKER_NAME)", "--no-dashboard", "--death-timeout", "120")
QUIET_SCHEDULER = {"DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "['distributed.http.health']"}
QUIET_WORKER = {"DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]"}
"""No pages on the ports for HTTP, which ask for no credential; Kubernetes asks the scheduler for its health there."""

PORTS = {"tcp-comm": 8786, "http-dashboard": 8787}
"""The operator finds the scheduler's ports by these names."""


def manifest(asked: Asked, name: str) -> dict[str, Any]:
    """The `DaskCluster` of that name; one that is given in `custom_cluster_spec` is what it starts from.

    A custom one keeps what it says of its containers, except for the image, the size and the number of Dask workers where these
    were chosen.
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
    """Image and environment are the same for all."""
    image, env = asked.options.get("image"), asked.options.get("env")
    if image is not None:
        container["image"] = image
    if isinstance(env, dict):
        container["env"] = [each for each in container.get("env", []) if each["name"] not in env] + _env(env)


def _limits(asked: Asked) -> list[str]:
    """Dask counts by itself what a container may use: by the machine, and not by the container's limits."""
    if asked.size is None:
        return []
    gpus = ["--resources", f"GPU={asked.gpus}"] if asked.gpus else []
    return ["--nthreads", str(asked.cores), "--memory-limit", str(asked.memory), *gpus]


def _resources(asked: Asked) -> dict[str, dict[str, str]]:
    """A Dask worker gets what it asks for, and no more. Quantities are texts: the operator takes nothing else."""
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
