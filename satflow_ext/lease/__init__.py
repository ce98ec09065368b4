"""Leases on the local stack: it lives as long as somebody holds one.

Whoever asks first starts it. A lease is an open connection to its supervisor, so it ends with the process that holds it, also
by `kill -9`. Nothing here imports Prefect or Jupyter: kernel, Jupyter server and command line use it alike.
"""

from __future__ import annotations

from satflow_ext.lease.client import Lease, acquire, have_started, report, stop
from satflow_ext.lease.stack_status import status

__all__ = ["Lease", "acquire", "have_started", "report", "status", "stop"]
