"""Clusters over SSH: the scheduler runs beside the flow, Dask workers on hosts that one can log in to."""

from __future__ import annotations

import asyncio
import importlib.util
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from satflow_ext.backends.base import BACKEND_FIELD, OPTIONS_FIELD, Asked, BackEnd, Missing
from satflow_ext.errors import ExtraMissing, InvalidExecutorOption, SizeRefused
from satflow_ext.settings import GIB, Settings
from satflow_ext.validation_errors import in_words

if TYPE_CHECKING:
    from satflow_ext.backends.ssh_hosts import Reach

INSTALL = "pip install 'satflow-ext[ssh]'"
CLASS = "satflow_ext.backends.ssh_cluster:SshCluster"


def arguments(asked: Asked) -> dict[str, Any]:
    """A worker size becomes threads and a limit of memory."""
    size = {"nthreads": asked.cores, "memory_limit": asked.memory, "gpus": asked.gpus} if asked.size else {}
    return {**asked.options, **size}


def refuse(asked: Asked) -> None:
    """Refuse what names no hosts, or no way to log in to them.

    Raises:
        InvalidExecutorOption: the hosts are not a list of names, or an option of the connection makes no sense.
    """
    _reach(asked)


def check(asked: Asked, settings: Settings) -> None:
    """Log in to each host, and see what it has.

    Raises:
        ExtraMissing: this process cannot log in anywhere.
        ClusterFailed: one of them cannot be reached, or refuses.
        PythonMismatch: its Python is another.
        DaskClusterUnfit: it lacks what a Dask worker needs.
        SizeRefused: they do not have the memory or the GPUs; the message has the sizes that they have.
    """
    from satflow_ext.backends.ssh_hosts import look_at

    if importlib.util.find_spec("asyncssh") is None:  # it is there where the flow runs, and not in this Jupyter server
        message = "Here is no asyncssh, with which the hosts are asked when registering."
        raise ExtraMissing(message, fix=f"{INSTALL}.", field=BACKEND_FIELD)
    found = asyncio.run(look_at(_reach(asked)))
    if asked.size is not None:
        _refuse_unless_fits(asked, {name: (host.memory, host.gpus) for name, host in found.items()}, settings)


def _reach(asked: Asked) -> Reach:
    from satflow_ext.backends.ssh_hosts import Reach

    given = {name: value for name, value in asked.options.items() if name in Reach.model_fields}
    try:
        return Reach.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = f"{'.'.join(map(str, first['loc']))}: {in_words(first)}"
        raise InvalidExecutorOption(
            f"The options of ssh do not fit: {said}.", fix=EXAMPLE, field=OPTIONS_FIELD
        ) from None


def _refuse_unless_fits(asked: Asked, hosts: Mapping[str, tuple[int, int]], settings: Settings) -> None:
    each = math.ceil((asked.workers or asked.maximum or 1) / len(hosts))
    for name, (memory, gpus) in hosts.items():
        if each * (asked.memory or 0) > memory or each * asked.gpus > gpus:
            fitting = [
                size_name
                for size_name, size in settings.worker_sizes.items()
                if all(each * size.memory * GIB <= m and each * size.gpus <= g for m, g in hosts.values())
            ]
            raise SizeRefused(
                f"{name} would have {each} Dask workers of size {asked.size!r}, and has {memory / GIB:.1f} GiB, "
                f"{gpus or 'no'} GPUs.",
                fix=f"Choose one of {', '.join(fitting)}, or fewer." if fitting else "Choose fewer, or no worker size.",
                field="executor.options.worker_size",
            )


def missing(cluster: Any) -> Missing:
    """What became of the Dask workers that are not there."""
    return cluster.missing()  # type: ignore[no-any-return]  # it is a `SshCluster`, which this module does not import


EXAMPLE = 'Write for example {"hosts": ["node1", "node2"], "username": "ada"}.'
OWNED = {
    "n_workers": "n_workers",
    "nthreads": "worker_size",
    "memory_limit": "worker_size",
    "gpus": "worker_size",
}

SSH = BackEnd(
    name="ssh",
    cluster_class=CLASS,
    arguments=arguments,
    install=INSTALL,
    owned=OWNED,
    refuse=refuse,
    check=check,
    missing=missing,
)
