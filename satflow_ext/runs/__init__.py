"""Flow runs of a Prefect API: start, list, inspect, cancel and retry them, and follow their logs.

The Jupyter server and the command line use the same functions. All of them are async and take the Prefect API as an argument.
"""

from __future__ import annotations

from satflow_ext.runs.failure import add_input_values
from satflow_ext.runs.run_list import list_recent_runs, list_runs, read_named_run, read_run, read_run_detail
from satflow_ext.runs.run_start import cancel_run, change_runs, retry_run, start_run, wait_for_end
from satflow_ext.runs.task_runs import list_task_runs, read_task_run
from satflow_ext.runs.whole_log import stream_whole_log
from satflow_ext.runs.work_pools import list_work_pools

__all__ = [
    "add_input_values",
    "cancel_run",
    "change_runs",
    "list_recent_runs",
    "list_runs",
    "list_task_runs",
    "list_work_pools",
    "read_named_run",
    "read_run",
    "read_run_detail",
    "read_task_run",
    "retry_run",
    "start_run",
    "stream_whole_log",
    "wait_for_end",
]
