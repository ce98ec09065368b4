"""A local stack of the benchmark's own, so that nothing of the user's is touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.settings import Settings, load_settings


@contextmanager
def own_stack() -> Iterator[tuple[Endpoints, Settings]]:
    """A fresh local stack, ended with the block; this process's environment points to it."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "SATFLOW_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="sf-") as folder:
        os.environ |= {"SATFLOW_STATE_DIR": folder, "SATFLOW_RUNTIME_DIR": f"{folder}/run"}
        settings = load_settings()
        with lease.acquire_lease(settings) as held:
            yield endpoints.resolve_endpoints(settings, held.record), settings


def prefect_environment(where: Endpoints) -> dict[str, str]:
    """What Prefect's own command line needs to talk to that stack."""
    return {
        **os.environ,
        "PREFECT_API_URL": where.prefect.url,
        "PREFECT_API_AUTH_STRING": where.prefect.auth_string or "",
    }
