"""A request for a cluster, and its translation into the options of a Dask Gateway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from satflow_ext.errors import GatewayRefused, SizeRefused
from satflow_ext.gateways.worker_plan import Workers
from satflow_ext.settings import GIB, SizeSettings

if TYPE_CHECKING:
    from dask_gateway.options import Options

LABEL = "deployment"
VARIABLE = "SATFLOW_CLUSTER_OF"
ADD_LABEL = 'Choose share="run", or ask its administrator to add String("deployment") to the cluster options.'


@dataclass(frozen=True)
class Wanted(Workers):
    """A request for a cluster of a Dask Gateway. The local stack's gateway also accepts cores and memory without a size.

    Args:
        gateway: name of a Dask Gateway in the settings; "" for the local stack's gateway.
        python: the interpreter of the flow runs, which the local stack's gateway uses for Dask's processes.
    """

    gateway: str
    python: str


def choose(offered: Options, wanted: Wanted, label: str | None) -> dict[str, Any]:
    """Set the requested values in the options that a gateway offers.

    Args:
        offered: the gateway's options with their defaults; changed in place. The object validates the values.
        wanted: the requested cluster.
        label: the deployment that owns the cluster; None for a cluster that no other run looks up.

    Returns:
        The options that identify a matching cluster later.

    Raises:
        SizeRefused: the gateway does not offer this worker size.
        GatewayRefused: the gateway has no option that can hold the label.
    """
    chosen = {**_size(offered, wanted), **(_label(offered, label) if label else {})}
    if "python" in offered and not wanted.gateway:
        chosen["python"] = wanted.python
    try:
        offered.update(chosen)
    except (ValueError, TypeError) as error:
        raise SizeRefused(
            f"The Dask Gateway does not offer Dask workers of size {wanted.size!r}: {error}.",
            fix="Choose a size that it offers.",
            field="executor.options.worker_size",
        ) from None
    if "idle_timeout" in offered:
        offered["idle_timeout"] = type(offered["idle_timeout"])(wanted.idle_timeout)
    return chosen


def sizes_of(offered: Options, wanted: Wanted, sizes: Mapping[str, SizeSettings]) -> tuple[str, ...]:
    """Return the names of the sizes that the gateway offers."""
    return tuple(name for name, size in sizes.items() if _gives(offered, wanted, name, size))


def is_like(options: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    """Return whether a cluster's options match the chosen ones."""
    return all(options.get(name) == value for name, value in chosen.items())


def label_of(options: Mapping[str, Any]) -> str | None:
    """Return the label in a cluster's options, or None if they have none."""
    said = options.get(LABEL) or dict(options.get("environment") or {}).get(VARIABLE)
    return said if isinstance(said, str) and said else None


def _size(offered: Options, wanted: Wanted) -> dict[str, Any]:
    """Return the size by name if the gateway has names for sizes, else as numbers (memory in GiB, see its documentation)."""
    if wanted.cores is None or wanted.memory is None:
        return {}
    if wanted.size is not None and "worker_size" in offered:
        return {"worker_size": wanted.size}
    if "worker_cores" in offered and "worker_memory" in offered and (not wanted.gpus or "worker_gpus" in offered):
        memory = wanted.memory / GIB
        whole = isinstance(offered["worker_memory"], int)
        gpus = {"worker_gpus": wanted.gpus} if "worker_gpus" in offered else {}
        return {"worker_cores": wanted.cores, "worker_memory": math.ceil(memory) if whole else memory, **gpus}
    known = ", ".join(offered) or "none"
    raise SizeRefused(
        f"The Dask Gateway has no options for Dask workers of size {wanted.size!r}; its options are {known}.",
        fix="Choose no worker size, or one without GPUs.",
        field="executor.options.worker_size",
    )


def _gives(offered: Options, wanted: Wanted, name: str, size: SizeSettings) -> bool:
    sized = replace(wanted, size=name, cores=size.cores, memory=int(size.memory * GIB), gpus=size.gpus)
    try:
        choose(offered, sized, None)
    except SizeRefused:
        return False
    return True


def _label(offered: Options, label: str) -> dict[str, Any]:
    if LABEL in offered:
        return {LABEL: label}
    if isinstance(offered.get("environment"), dict):
        return {"environment": {**offered["environment"], VARIABLE: label}}
    raise GatewayRefused(
        "The Dask Gateway has no option for the deployment of a cluster, so runs cannot find a shared cluster.",
        fix=ADD_LABEL,
        field="executor.options.share",
    )
