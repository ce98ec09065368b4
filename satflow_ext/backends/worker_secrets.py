"""What the Dask workers of a cluster are told of the flow run's secrets and of what may be told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from satflow_ext import endpoints
from satflow_ext.backends.run_log import run_log
from satflow_ext.gateways import worker_guard
from satflow_ext.redaction import guard

if TYPE_CHECKING:
    from distributed import Client

ENCRYPTED = ("tls", "wss", "inproc")


def tell(dask_client: Client) -> None:
    """Guard its Dask workers where this flow run needs it; over a connection that others can read they get no secret."""
    address = dask_client.scheduler_info()["address"]
    if is_private(address):
        worker_guard.guard(dask_client)
    elif guard.needed():
        run_log().warning(
            "The cluster's connections are not encrypted, so its Dask workers get no secrets of this flow run."
        )


def is_private(address: str) -> bool:
    """Whether nobody can read along there: the connection is encrypted, or stays on this machine."""
    return urlsplit(address).scheme in ENCRYPTED or endpoints.on_loopback(address)
