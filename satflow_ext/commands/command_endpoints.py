"""The connection of commands to Prefect and the store. Starts the local stack if the settings require it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.settings import Settings


@contextmanager
def connect(settings: Settings) -> Iterator[Endpoints]:
    """Resolve the endpoints, and hold a lease on the local stack while the block runs.

    Raises:
        StackFailed: the local stack is needed and does not start.
        SettingsWrong: the settings name a store or a variable that does not exist.
    """
    if not endpoints.list_needed_services(settings):
        yield endpoints.resolve_endpoints(settings, None)
        return
    with lease.acquire_lease(settings, on_step=_print_step) as held:
        yield endpoints.resolve_endpoints(settings, held.record)


def _print_step(step: str) -> None:
    print(f"… {step}", file=sys.stderr)
