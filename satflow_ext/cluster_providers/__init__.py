"""Cluster providers of the executor `dask-cluster`: one record each, plus any class by its name.

To add a provider, write one module with one record, list the record in `PROVIDERS`, and add a test. No other module asks for
a provider by its name: what differs between providers is an attribute of the record (`provider.ClusterProvider`).
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from satflow_ext.cluster_providers.dask_gateway import GATEWAY
from satflow_ext.cluster_providers.kubernetes import KUBERNETES
from satflow_ext.cluster_providers.provider import BACKEND_FIELD, OPTIONS_FIELD, ClusterProvider, ProviderRequest
from satflow_ext.cluster_providers.slurm import SLURM
from satflow_ext.cluster_providers.ssh import SSH
from satflow_ext.credentials.shapes import find_credential
from satflow_ext.errors import InvalidExecutorOption, SizeRefused, UnknownBackEnd

__all__ = [
    "DEFAULT_NAME",
    "NAMES",
    "PROVIDERS",
    "ClusterProvider",
    "ProviderRequest",
    "find_provider",
    "is_shareable",
    "validate_request",
]

PROVIDERS: tuple[ClusterProvider, ...] = (GATEWAY, SLURM, SSH, KUBERNETES)
NAMES = tuple(each.name for each in PROVIDERS)
DEFAULT_NAME = GATEWAY.name
CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", re.ASCII)
"""`package.module:Class`."""
CLASS_OWNED_ARGUMENTS = {"n_workers": "n_workers", "asynchronous": "", "loop": ""}
"""`ClusterProvider.owned_arguments` of any class."""


def find_provider(name: str) -> ClusterProvider:
    """Return the cluster provider with this name, or build one for a class given as `module:Class`.

    Such a provider has no worker sizes: each class has its own arguments for them.

    Raises:
        UnknownBackEnd: no provider has this name.
    """
    for each in PROVIDERS:
        if each.name == name:
            return each
    if CLASS_PATH.fullmatch(name):
        return ClusterProvider(name=name, cluster_class=name, owned_arguments=CLASS_OWNED_ARGUMENTS, has_sizes=False)
    near = get_close_matches(name, NAMES, n=1)
    raise UnknownBackEnd(
        f"No cluster provider is called {name!r}.",
        fix=f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(NAMES)}, or a class as module:Class.",
        field=BACKEND_FIELD,
    )


def is_shareable(name: object) -> bool:
    """Return whether runs can share a cluster of the provider with this name; False for a value that is not a valid name."""
    return any(each.is_shareable for each in PROVIDERS if each.name == name)


def validate_request(request: ProviderRequest) -> None:
    """Refuse a request that the cluster provider cannot satisfy on any machine.

    Raises:
        UnknownBackEnd: no provider has this name.
        InvalidExecutorOption: SatFlow sets one of the options itself, or an option looks like a credential.
        SizeRefused: the provider does not support worker sizes.
    """
    back_end = find_provider(request.backend)
    for name in sorted(back_end.owned_arguments.keys() & request.options.keys()):
        instead = back_end.owned_arguments[name]
        raise InvalidExecutorOption(
            f"SatFlow sets {name!r} of {request.backend} itself.",
            fix=f"Use the executor option {instead} instead." if instead else "Leave it out.",
            field=OPTIONS_FIELD,
        )
    if found := find_credential(request.options):
        path, what = found
        raise InvalidExecutorOption(
            f"{'.'.join(path)} looks like {what}, and the version would store it.",
            fix="Set it in the environment of the runs, where the class reads it (docs/secrets.md).",
            field=OPTIONS_FIELD,
        )
    back_end.validate_request(request)
    if request.size is not None and not back_end.has_sizes:
        raise SizeRefused(
            f"{request.backend} does not support worker sizes: its class has its own arguments for them.",
            fix="Choose no worker size, and set the size in backend_options.",
            field="executor.options.worker_size",
        )
