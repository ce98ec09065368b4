"""`satflow status`: show services, addresses, leases and log files. Starts nothing, and shows no credentials."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from satflow_ext import lease
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.fork_requests.child_process import RUN_SOCKET
from satflow_ext.fork_requests.preloaded_packages import packages_folder, read_used_packages
from satflow_ext.fork_requests.start_run import choose_run_start
from satflow_ext.fork_requests.trial_load import SET_ASIDE_SUFFIX, TEMPLATES_LINK
from satflow_ext.lease.messages import StackReport
from satflow_ext.lease.start import log_path
from satflow_ext.models import StackStatus
from satflow_ext.settings import Settings, load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print the status. Return 0 if runs can start, else 3."""
    refuse_extra_arguments(rest, "status")
    settings = load_settings()
    status = lease.read_status(settings)
    print(_status_json(status, lease.read_report(settings), settings) if args.json else format_status(settings))
    return 0 if status.state == "ready" else 3


def format_status(settings: Settings) -> str:
    """Format the status, one fact per line."""
    return "\n".join(_status_lines(settings, lease.read_status(settings), lease.read_report(settings)))


def _status_lines(settings: Settings, status: StackStatus, report: StackReport | None) -> Iterator[str]:
    place = "Local stack" if status.kind == "local" else "Configured Prefect API"
    yield f"{place}: {status.state}{f' ({status.step})' if status.step else ''}"
    profile = f" (profile {status.prefect_profile!r} of Prefect)" if status.prefect_profile else ""
    yield f"  Prefect API  {status.prefect_api or '-'}{profile}"
    yield f"  store        {status.store or '-'}"
    if report is None:
        return
    held = f"{report.leases} {'lease' if report.leases == 1 else 'leases'}"
    ends = "stays until `satflow down`" if report.stays else "ends with its last lease"
    yield f"  supervisor   pid {report.pid}, up {_format_uptime(report.started)}, {held}, {ends}"
    for each in report.services:
        again = f", restarted {format_times(each.restarts)} after it {each.last_end}" if each.last_end else ""
        yield f"  {each.name:<14} {each.state}, pid {each.pid or '-'}{again}, log {each.log}"
    yield f"  its log      {log_path(settings)}"
    yield f"  flow runs    {_format_run_start(settings)}"


def _format_run_start(settings: Settings) -> str:
    """Say how the processes of flow runs start on this machine."""
    way = choose_run_start(settings.run_start)
    if way == "exec":
        return "start as new interpreters (setting run_start)"
    if failure := _read_template_failure(settings):
        return f"start as new interpreters: the process that they would be forks of {failure}; see the log of prefect-worker"
    *others, last = ["Prefect", *read_used_packages(packages_folder(settings.state_dir))]
    packages = f"{', '.join(others)} and {last}" if others else last
    start = "start as forks of a process" if way == "fork" else "start in a spare interpreter"
    return f"{start} that has imported {packages}"


def _read_template_failure(settings: Settings) -> str | None:
    """Return why the template of the local stack is set aside, or None."""
    try:
        return (settings.runtime_dir / TEMPLATES_LINK / RUN_SOCKET).with_suffix(SET_ASIDE_SUFFIX).read_text().strip()
    except OSError:
        return None


def _status_json(status: StackStatus, report: StackReport | None, settings: Settings) -> str:
    whole = {
        **status.model_dump(mode="json"),
        "supervisor": report.model_dump(mode="json") if report else None,
        "run_start": {
            "way": choose_run_start(settings.run_start),
            "template_failure": _read_template_failure(settings),
            "packages": list(read_used_packages(packages_folder(settings.state_dir))),
        },
    }
    return json.dumps(whole, indent=2)


def format_times(count: int) -> str:
    """Format a number of times: once, 3 times."""
    return "once" if count == 1 else f"{count} times"


def _format_uptime(started: datetime) -> str:
    seconds = int((datetime.now(timezone.utc) - started).total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
