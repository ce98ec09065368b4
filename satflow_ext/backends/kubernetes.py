"""Clusters on Kubernetes: the Dask operator creates pods for the scheduler and the Dask workers (dask-kubernetes)."""

from __future__ import annotations

import math
from typing import Any
from uuid import uuid4

from satflow_ext.backends.base import OPTIONS_FIELD, Asked, BackEnd
from satflow_ext.backends.kube_manifest import CUSTOM, manifest
from satflow_ext.backends.kube_pods import look
from satflow_ext.errors import InvalidExecutorOption

KINDS = (
    ("image", str, "the name of an image"),
    ("namespace", str, "the name of a namespace"),
    ("env", dict, "a JSON object of names and values"),
    ("scheduler_service_type", str, "a type of service, such as ClusterIP"),
)
FOLDED = frozenset({"image", "env", "scheduler_service_type", CUSTOM})
"""Options that become part of the manifest."""


def arguments(asked: Asked) -> dict[str, Any]:
    """Return the generated manifest and the other arguments of the class."""
    rest = {name: value for name, value in asked.options.items() if name not in FOLDED}
    return {
        **rest,
        CUSTOM: manifest(asked, f"satflow-{uuid4().hex[:12]}"),
        "resource_timeout": math.ceil(asked.start_timeout),
        "shutdown_on_close": True,
        "quiet": True,
    }


def refuse(asked: Asked) -> None:
    """Refuse options that no Kubernetes cluster could run.

    Raises:
        InvalidExecutorOption: there is no image, an option has the wrong type, or the custom specification is invalid.
    """
    custom = asked.options.get(CUSTOM)
    for name, kind, words in KINDS:
        if not isinstance(asked.options.get(name), kind | None):
            raise _invalid(f"{name!r} of kubernetes must be {words}.", f"Leave {name} out, or set it to {words}.")
    if custom is None and not asked.options.get("image"):
        raise _invalid(
            "The cluster provider kubernetes needs an image.",
            'Set backend_options to {"image": "…"}, an image with the packages and the Python of the flow\'s environment.',
        )
    if custom is not None and not _is_cluster(custom):
        raise _invalid(
            f"{CUSTOM} is not a DaskCluster.",
            "Provide one with spec.scheduler.spec.containers and spec.worker.spec.containers, such as the result of "
            "dask_kubernetes.operator.make_cluster_spec.",
        )


def _is_cluster(custom: Any) -> bool:
    try:
        parts = [custom["spec"][part]["spec"]["containers"][0] for part in ("scheduler", "worker")]
    except (KeyError, IndexError, TypeError):
        return False
    return custom.get("kind") == "DaskCluster" and all(isinstance(each, dict) for each in parts)


def _invalid(message: str, fix: str) -> InvalidExecutorOption:
    return InvalidExecutorOption(message, fix=fix, field=OPTIONS_FIELD)


OWNED = {
    "n_workers": "n_workers",
    "resources": "worker_size",
    "idle_timeout": "idle_timeout",
    "resource_timeout": "start_timeout",
    **dict.fromkeys(
        ("asynchronous", "create_mode", "jupyter", "loop", "name", "quiet", "shutdown_on_close", "worker_command"), ""
    ),
}

KUBERNETES = BackEnd(
    name="kubernetes",
    cluster_class="dask_kubernetes.operator:KubeCluster",
    arguments=arguments,
    install="pip install 'satflow-ext[kubernetes]'",
    owned=OWNED,
    refuse=refuse,
    missing=look,
)
