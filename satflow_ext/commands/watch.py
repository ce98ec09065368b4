"""A live view of a run in the terminal: log lines, changes of state, and its Dask cluster."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing, suppress

from satflow_ext import lease, runs
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.commands import interrupts
from satflow_ext.display.run_view import time_and_level
from satflow_ext.endpoints import Endpoints, PrefectApi
from satflow_ext.errors import SatflowError
from satflow_ext.models import ClusterStatus, LogLine, Run
from satflow_ext.runs.log_follower import follow_log
from satflow_ext.runs.whole_log import indent_text
from satflow_ext.session import OpenConnection
from satflow_ext.settings import Settings
from satflow_ext.task_cancellation import cancel_task
from satflow_ext.terminal_text import get_unfiltered

POLL_SECONDS = 1.0
MIB = 1024**2
CONTINUATION_MARK = "│ "
"""The prefix of a message's continuation lines, right-aligned with the end of the first line's time and level."""
CONTINUATION_PREFIX = f"{CONTINUATION_MARK:>19}"
"""The same for texts without time and level: reasons, states and problems contain texts of exceptions and servers."""


def follow_run(connection: OpenConnection, run_id: str, *, show_cluster: bool = False, raw: bool = False) -> int:
    """Follow a run to its end, as `show_run` does. An interrupt ends the command, not the run."""
    try:
        return interrupts.run(
            show_run(connection.resolved, connection.settings, run_id, show_cluster=show_cluster, raw=raw)
        )
    except KeyboardInterrupt:
        print(_interrupted_text(connection.resolved, connection.settings, run_id), file=sys.stderr)
        raise


def _interrupted_text(endpoints: Endpoints, settings: Settings, run_id: str) -> str:
    report = lease.read_report(settings) if endpoints.local else None
    if report is not None and report.leases == 1 and not report.stays:
        return "The run ends as well: the local stack stops with its last lease. Run `satflow up` to keep it running."
    return f"The run was not cancelled. To follow it again: satflow logs {run_id} --follow"


async def show_run(
    endpoints: Endpoints, settings: Settings, run_id: str, *, show_cluster: bool = False, raw: bool = False
) -> int:
    """Show a run until it has ended, and return the exit code: 0 if it completed, else 1.

    Args:
        endpoints: contain the run's Prefect API.
        settings: contain the folder of its log lines, if it runs on this machine.
        run_id: the flow run.
        show_cluster: also show the state of its Dask cluster.
        raw: write control characters of log lines unchanged.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer the first request.
    """

    async def where() -> PrefectApi:
        return endpoints.prefect

    beside = asyncio.create_task(_print_changes(endpoints, StatusFiles(settings) if show_cluster else None, run_id))
    try:
        async with aclosing(follow_log(where, run_id, settings=settings)) as batches:
            async for batch in batches:
                for line in batch.lines:
                    _print_line(line, raw=raw)
                if batch.trouble:
                    print(indent_text(f"… {batch.trouble}", CONTINUATION_PREFIX), file=sys.stderr)
                sys.stdout.flush()
    finally:
        await cancel_task(beside)
    ended = await runs.read_run(endpoints.prefect, run_id)
    print(indent_text(f"{ended.state_name} after {ended.duration:.1f} s{_state_message(ended)}", CONTINUATION_PREFIX))
    return 0 if ended.state_type == "COMPLETED" else 1


async def _print_changes(endpoints: Endpoints, status_files: StatusFiles | None, run_id: str) -> None:
    """Print what the log does not contain, on each change: why the run waits, and the state of its cluster."""
    printed: set[str] = set()
    while True:
        with suppress(SatflowError):  # the log follower waits for an unavailable Prefect API and reports it
            for words in (await _waiting_reason(endpoints, run_id), _cluster_line(status_files, run_id)):
                if words and words not in printed:
                    printed.add(words)
                    print(indent_text(words, CONTINUATION_PREFIX), flush=True)
        await asyncio.sleep(POLL_SECONDS)


async def _waiting_reason(endpoints: Endpoints, run_id: str) -> str | None:
    run = await runs.read_run(endpoints.prefect, run_id)
    return f"… {run.why_waiting}" if run.why_waiting else None


def _cluster_line(status_files: StatusFiles | None, run_id: str) -> str | None:
    status = status_files.read_status(run_id) if status_files else None
    return f"  dask │ {_format_cluster(status)}" if status else None


def _format_cluster(status: ClusterStatus) -> str:
    if status.state != "running":
        return status.problem or status.state
    memory = sum(worker.memory for worker in status.workers) // MIB
    tasks = ", ".join(f"{number} {state}" for state, number in status.tasks.items() if number) or "no tasks yet"
    plan = f"/{status.plan}" if status.plan is not None else ""
    missing_workers = f". {status.pending}" if status.pending else ""
    return f"{status.observed}{plan} workers, {memory:,} MiB, {tasks}{missing_workers}"


def _print_line(line: LogLine, *, raw: bool) -> None:
    begin = f"{time_and_level(line)}│ "
    if raw:
        print(f"{begin}{line.message}", file=get_unfiltered(sys.stdout))
    else:  # continuation lines of a message must not look like log lines
        print(f"{begin}{indent_text(line.message, f'{CONTINUATION_MARK:>{len(begin)}}')}")


def _state_message(run: Run) -> str:
    return f": {run.state_message}" if run.state_message and run.state_type != "COMPLETED" else ""
