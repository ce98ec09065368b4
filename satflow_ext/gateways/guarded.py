"""Dask workers that no flow run started: they are told of its secrets, over TLS, and guarded as its other processes are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

from satflow_ext.credentials import guard as secrets
from satflow_ext.telling import guard as telling
from satflow_ext.telling import policy

if TYPE_CHECKING:
    from distributed import Client


class Guard(WorkerPlugin):
    """Gives a Dask worker these variables and guards it; also one that joins later.

    Args:
        variables: names and values of environment variables.
    """

    name = "satflow-guard"

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)

    def setup(self, worker: Any) -> None:
        """Distributed calls this in each Dask worker; again for every run that shares the cluster."""
        if not self._variables.items() <= os.environ.items():
            os.environ.update(self._variables)
            telling.guard()


def guard(dask_client: Client) -> None:
    """Guard all Dask workers of its cluster, where this flow run needs it."""
    if telling.needed():
        dask_client.register_plugin(Guard(_variables()))


def _variables() -> dict[str, str]:
    names = (policy.VARIABLE, secrets.NAMES, *secrets.declared())
    return {name: os.environ[name] for name in names if name in os.environ}
