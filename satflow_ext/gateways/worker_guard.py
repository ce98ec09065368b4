"""Dask workers that no flow run started: they are told of its secrets, over TLS, and guarded as its other processes are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

from satflow_ext.credentials import redacting_filter as secrets
from satflow_ext.redaction import guard as telling
from satflow_ext.redaction import policy

if TYPE_CHECKING:
    from distributed import Client


def guard(dask_client: Client) -> None:
    """Guard all Dask workers of its cluster, also those that join later, where this flow run needs it.

    One that lacks this package cannot be guarded. It gets no secret, and tells Prefect what Prefect by itself tells.
    """
    if telling.needed():
        dask_client.register_plugin(plugin(_variables()))


def plugin(variables: Mapping[str, str]) -> WorkerPlugin:
    """What gives a Dask worker these environment variables and guards it.

    Its class is made here so that it travels by value: a Dask worker that cannot read a plugin never starts.
    """
    given = dict(variables)

    class Guard(WorkerPlugin):
        name = "satflow-guard"

        def setup(self, worker: Any) -> None:
            """Distributed calls this in each Dask worker; again for every run that shares the cluster."""
            import logging
            import os

            try:
                from satflow_ext.redaction import guard
            except ImportError:
                logging.getLogger("distributed.worker").warning("satflow-ext is missing: flow runs' secrets stay away.")
                return
            if not given.items() <= os.environ.items():
                os.environ.update(given)
                guard.guard()

    return Guard()


def _variables() -> dict[str, str]:
    names = (policy.VARIABLE, secrets.NAMES, *secrets.declared())
    return {name: os.environ[name] for name in names if name in os.environ}
