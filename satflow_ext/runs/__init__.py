"""Flow runs of a Prefect API: start, list, inspect and cancel them, and follow their logs.

The Jupyter server and the command line use the same functions. All of them are async and take the Prefect API as an argument.
"""

from __future__ import annotations

from satflow_ext.runs.run_cancel import cancel
from satflow_ext.runs.run_detail import detail
from satflow_ext.runs.run_list import get, list_runs
from satflow_ext.runs.run_start import start
from satflow_ext.runs.whole_log import whole_log
from satflow_ext.runs.work_pools import work_pools

__all__ = ["cancel", "detail", "get", "list_runs", "start", "whole_log", "work_pools"]
