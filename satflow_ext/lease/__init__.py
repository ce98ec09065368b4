"""Leases on the local stack, which runs as long as any process holds one.

The first request for a lease starts the stack. A lease is an open connection to the supervisor, so it ends with the process that
holds it, even after `kill -9`. This package does not import Prefect or Jupyter, because kernel, Jupyter server and command line
all use it.
"""

from __future__ import annotations

from satflow_ext.lease.client import Lease, acquire_lease, read_report, start_services, stop_stack
from satflow_ext.lease.stack_status import read_status

__all__ = ["Lease", "acquire_lease", "read_report", "read_status", "start_services", "stop_stack"]
