"""A request for a cluster, and its translation into the options of a Dask Gateway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from satflow_ext.errors import GatewayRefused, SizeRefused
from satflow_ext.gateways.worker_plan import WorkerPlan
from satflow_ext.settings import GIB, SizeSettings

if TYPE_CHECKING:
    from dask_gateway.options import Options

LABEL_OPTION = "deployment"
LABEL_VARIABLE = "SATFLOW_CLUSTER_OF"
ADD_LABEL = 'Choose share="run", or ask its administrator to add String("deployment") to the cluster options.'


@dataclass(frozen=True)
class GatewayClusterRequest(WorkerPlan):
    """A request for a cluster of a Dask Gateway. The local stack's gateway also accepts cores and memory without a size.

    Args:
        gateway: name of a Dask Gateway in the settings; "" for the local stack's gateway.
        python: the interpreter of the flow runs, which the local stack's gateway uses for Dask's processes.
    """

    gateway: str
    python: str


def set_options(offered: Options, request: GatewayClusterRequest, label: str | None) -> dict[str, Any]:
    """Set the requested values in the options that a gateway offers.

    Args:
        offered: the gateway's options with their defaults; changed in place. The object validates the values.
        request: the requested cluster.
        label: the deployment that owns the cluster; None for a cluster that no other run looks up.

    Returns:
        The options that identify a matching cluster later.

    Raises:
        SizeRefused: the gateway does not offer this worker size.
        GatewayRefused: the gateway has no option that can hold the label.
    """
    chosen = {**_size_options(offered, request), **(_label_options(offered, label) if label else {})}
    if "python" in offered and not request.gateway:
        chosen["python"] = request.python
    try:
        offered.update(chosen)
    except (ValueError, TypeError) as error:
        raise SizeRefused(
            f"The Dask Gateway does not offer Dask workers of size {request.size!r}: {error}.",
            fix="Choose a size that it offers.",
            field="executor.options.worker_size",
        ) from None
    if "idle_timeout" in offered:
        offered["idle_timeout"] = type(offered["idle_timeout"])(request.idle_timeout)
    return chosen


def list_offered_sizes(
    offered: Options, request: GatewayClusterRequest, sizes: Mapping[str, SizeSettings]
) -> tuple[str, ...]:
    """Return the names of the sizes that the gateway offers."""
    return tuple(name for name, size in sizes.items() if _offers_size(offered, request, name, size))


def has_options(options: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    """Return whether a cluster's options match the chosen ones."""
    return all(options.get(name) == value for name, value in chosen.items())


def read_label(options: Mapping[str, Any]) -> str | None:
    """Return the label in a cluster's options, or None if they have none."""
    label = options.get(LABEL_OPTION) or dict(options.get("environment") or {}).get(LABEL_VARIABLE)
    return label if isinstance(label, str) and label else None


def _size_options(offered: Options, request: GatewayClusterRequest) -> dict[str, Any]:
    """Return the size by name if the gateway has names for sizes, else as numbers (memory in GiB, see its documentation)."""
    if request.cores is None or request.memory is None:
        return {}
    if request.size is not None and "worker_size" in offered:
        return {"worker_size": request.size}
    if "worker_cores" in offered and "worker_memory" in offered and (not request.gpus or "worker_gpus" in offered):
        memory = request.memory / GIB
        whole = isinstance(offered["worker_memory"], int)
        gpus = {"worker_gpus": request.gpus} if "worker_gpus" in offered else {}
        return {"worker_cores": request.cores, "worker_memory": math.ceil(memory) if whole else memory, **gpus}
    known = ", ".join(offered) or "none"
    raise SizeRefused(
        f"The Dask Gateway has no options for Dask workers of size {request.size!r}; its options are {known}.",
        fix="Choose no worker size, or one without GPUs.",
        field="executor.options.worker_size",
    )


def _offers_size(offered: Options, request: GatewayClusterRequest, name: str, size: SizeSettings) -> bool:
    sized = replace(request, size=name, cores=size.cores, memory=int(size.memory * GIB), gpus=size.gpus)
    try:
        set_options(offered, sized, None)
    except SizeRefused:
        return False
    return True


def _label_options(offered: Options, label: str) -> dict[str, Any]:
    if LABEL_OPTION in offered:
        return {LABEL_OPTION: label}
    if isinstance(offered.get("environment"), dict):
        return {"environment": {**offered["environment"], LABEL_VARIABLE: label}}
    raise GatewayRefused(
        "The Dask Gateway has no option for the deployment of a cluster, so runs cannot find a shared cluster.",
        fix=ADD_LABEL,
        field="executor.options.share",
    )
