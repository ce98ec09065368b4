"""Clusters on Kubernetes: the Dask operator creates pods for the scheduler and the Dask workers (dask-kubernetes)."""

from __future__ import annotations

import math
from typing import Any
from uuid import uuid4

from satflow_ext.backends.kube_manifest import CUSTOM_SPEC, build_manifest
from satflow_ext.backends.kube_pods import find_missing_workers
from satflow_ext.backends.provider import OPTIONS_FIELD, ClusterProvider, ProviderRequest
from satflow_ext.errors import InvalidExecutorOption

OPTION_TYPES = (
    ("image", str, "the name of an image"),
    ("namespace", str, "the name of a namespace"),
    ("env", dict, "a JSON object of names and values"),
    ("scheduler_service_type", str, "a type of service, such as ClusterIP"),
)
MANIFEST_OPTIONS = frozenset({"image", "env", "scheduler_service_type", CUSTOM_SPEC})
"""Options that become part of the manifest."""


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


OWNED_ARGUMENTS = {
    "n_workers": "n_workers",
    "resources": "worker_size",
    "idle_timeout": "idle_timeout",
    "resource_timeout": "start_timeout",
    **dict.fromkeys(
        ("asynchronous", "create_mode", "jupyter", "loop", "name", "quiet", "shutdown_on_close", "worker_command"), ""
    ),
}

KUBERNETES = ClusterProvider(
    name="kubernetes",
    cluster_class="dask_kubernetes.operator:KubeCluster",
    make_arguments=make_arguments,
    install="pip install 'satflow-ext[kubernetes]'",
    owned_arguments=OWNED_ARGUMENTS,
    validate_request=validate_request,
    find_missing_workers=find_missing_workers,
)
