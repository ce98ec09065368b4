"""A cluster as somebody wants it, and the same in the words of a Dask Gateway's own options."""

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
ADD_LABEL = 'Choose share="run", or let its administrator add String("deployment") to its cluster options.'


@dataclass(frozen=True)
class Wanted(Workers):
    """A cluster of a Dask Gateway as somebody wants it. The local stack's own knows cores and memory also without a size.

    Args:
        gateway: name of a Dask Gateway in the settings; "" for the local stack's own.
        python: the interpreter of its flow runs, which the local stack's own gateway gives to Dask's processes.
    """

    gateway: str
    python: str


def choose(offered: Options, wanted: Wanted, label: str | None) -> dict[str, Any]:
    """Set what is wanted among the options that a gateway offers.

    Args:
        offered: the gateway's options with its defaults; changed in place, and checked by itself.
        wanted: the cluster.
        label: whose it is; None where nobody looks for it.

    Returns:
        The options by which a cluster like that is known again.

    Raises:
        SizeRefused: the gateway does not give that worker size.
        GatewayRefused: it has no option that could say whose cluster it is.
    """
    chosen = {**_size(offered, wanted), **(_label(offered, label) if label else {})}
    if "python" in offered and not wanted.gateway:
        chosen["python"] = wanted.python
    try:
        offered.update(chosen)
    except (ValueError, TypeError) as error:
        raise SizeRefused(
            f"The Dask Gateway does not give workers of size {wanted.size!r}: {error}.",
            fix="Choose a size that it gives.",
            field="executor.options.worker_size",
        ) from None
    if "idle_timeout" in offered:
        offered["idle_timeout"] = type(offered["idle_timeout"])(wanted.idle_timeout)
    return chosen


def sizes_of(offered: Options, wanted: Wanted, sizes: Mapping[str, SizeSettings]) -> tuple[str, ...]:
    """The names of the sizes that the gateway gives."""
    return tuple(name for name, size in sizes.items() if _gives(offered, wanted, name, size))


def is_like(options: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    """Whether a cluster's options are those that were chosen."""
    return all(options.get(name) == value for name, value in chosen.items())


def label_of(options: Mapping[str, Any]) -> str | None:
    """Whose cluster it is that has these options, None where they do not say."""
    said = options.get(LABEL) or dict(options.get("environment") or {}).get(VARIABLE)
    return said if isinstance(said, str) and said else None


def _size(offered: Options, wanted: Wanted) -> dict[str, Any]:
    """By name where the gateway has names for sizes, else by numbers (memory in GiB, as its documentation has it)."""
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
        f"The Dask Gateway lets nobody choose workers of size {wanted.size!r}; its options are {known}.",
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
        "The Dask Gateway has no option that could say whose a cluster is, so none can be found again.",
        fix=ADD_LABEL,
        field="executor.options.share",
    )
