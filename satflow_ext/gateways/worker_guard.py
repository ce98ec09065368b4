"""Redaction guard for Dask workers that the flow run did not start: it sends them the secrets to redact, over TLS."""

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


def guard_workers(dask_client: Client) -> None:
    """Guard all Dask workers of the client's cluster, including later ones, if this flow run needs it.

    A Dask worker without this package cannot be guarded. It gets no secrets, and its data for Prefect is not redacted.
    """
    if telling.is_redaction_needed():
        dask_client.register_plugin(make_guard_plugin(_guard_variables()))


def make_guard_plugin(variables: Mapping[str, str]) -> WorkerPlugin:
    """Create a plugin that sets these environment variables in a Dask worker and guards it.

    The class is defined locally so that it is pickled by value: a Dask worker that cannot unpickle a plugin never starts.
    """
    given = dict(variables)

    class Guard(WorkerPlugin):
        name = "satflow-guard"

        def setup(self, worker: Any) -> None:
            """Guard a Dask worker. Distributed calls this in each one, once for every run that shares the cluster."""
            import logging
            import os

            try:
                from satflow_ext.redaction import guard
            except ImportError:
                logging.getLogger("distributed.worker").warning(
                    "satflow-ext is not installed: this worker gets no secrets."
                )
                return
            if not given.items() <= os.environ.items():
                os.environ.update(given)
                guard.enable_redaction()

    return Guard()


def _guard_variables() -> dict[str, str]:
    names = (policy.POLICY_VARIABLE, secrets.NAMES_VARIABLE, *secrets.declared_names())
    return {name: os.environ[name] for name in names if name in os.environ}
