"""Send the flow run's secrets and its redaction policy to the Dask workers of its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from satflow_ext import endpoints
from satflow_ext.backends.run_log import run_log
from satflow_ext.gateways import worker_guard
from satflow_ext.redaction import guard

if TYPE_CHECKING:
    from distributed import Client

ENCRYPTED_SCHEMES = ("tls", "wss", "inproc")


def guard_workers(dask_client: Client) -> None:
    """Install the redaction guard on the Dask workers if this flow run needs it. Unencrypted connections carry no secrets."""
    address = dask_client.scheduler_info()["address"]
    if is_private_address(address):
        worker_guard.guard_workers(dask_client)
    elif guard.is_redaction_needed():
        run_log().warning(
            "The cluster's connections are not encrypted, so its Dask workers get no secrets of this flow run."
        )


def is_private_address(address: str) -> bool:
    """Return whether a connection to this address is encrypted or stays on this machine."""
    return urlsplit(address).scheme in ENCRYPTED_SCHEMES or endpoints.is_on_loopback(address)
