"""Leases on the local stack, which runs as long as any process holds one.

The first request for a lease starts the stack. A lease is an open connection to the supervisor, so it ends with the process that
holds it, even after `kill -9`. This package does not import Prefect or Jupyter, because kernel, Jupyter server and command line
all use it.
"""

from __future__ import annotations

from satflow_ext.lease.client import Lease, acquire, have_started, report, stop
from satflow_ext.lease.stack_status import status

__all__ = ["Lease", "acquire", "have_started", "report", "status", "stop"]
