"""The result of a registration, displayed as text in a terminal and as a table in a notebook."""

from __future__ import annotations

from dataclasses import dataclass

from satflow_ext.display.preflight import as_html, as_text
from satflow_ext.display.size_format import size_text
from satflow_ext.display.version_diff import format_change
from satflow_ext.models import (
    Change,
    ExecutorChoice,
    Finding,
    IntervalSchedule,
    Registered,
    Run,
    Schedule,
)

OUTCOME_TEXTS = {
    "created": "registered",
    "changed": "changed",
    "unchanged": "unchanged, no new version was created",
    "restored": "restored to the registered state",
}


@dataclass(frozen=True)
class RegisteredFlow:
    """A deployment and, if requested, the run that was started."""

    registered: Registered
    run: Run | None

    def rows(self) -> list[tuple[str, str]]:
        """Return the (label, value) rows of the result."""
        deployment = self.registered.deployment
        rows = [
            ("Deployment", f"{deployment.flow_name}/{deployment.name}"),
            ("Version", f"{deployment.version}, {OUTCOME_TEXTS[self.registered.outcome]}"),
            ("Executor", executor_text(deployment.executor)),
            ("Work pool", deployment.work_pool or "none"),
            ("Schedule", "\n".join(map(schedule_text, deployment.schedules)) or "none, runs are started manually"),
        ]
        if deployment.next_runs:
            rows.append(("Next runs", "\n".join(f"{time:%a %d %b %Y %H:%M %Z}" for time in deployment.next_runs[:5])))
        if files := self.registered.files:
            rows.append(("Data files", f"{len(files)}, {size_text(sum(file.size for file in files))}"))
        rows += [("Kept", f"{kept_change_text(change)} (changed in Prefect)") for change in self.registered.kept]
        if self.run is not None:
            rows.append(("Run", f"{self.run.name} started"))
        return rows + [("Warning", finding.sentence) for finding in self.warnings]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Warnings about problems at run time and about differences from the flow's definition."""
        return self.registered.warnings

    def __repr__(self) -> str:
        return as_text(self.rows(), width=12)

    def _repr_html_(self) -> str:
        return as_html(self.rows())


def format_result(registered: Registered) -> str:
    """Format the result on one line, and warnings, settings kept in Prefect, data files and next runs on further lines."""
    deployment = registered.deployment
    size = size_text(registered.content_size)
    line = f"{deployment.flow_name}/{deployment.name}: {registered.outcome}, version {deployment.version} ({size})"
    lines = [line, *(f"  kept as changed in Prefect: {format_change(change)}" for change in registered.kept)]
    if deployment.executor and deployment.executor.from_flow:
        lines.append(f"  executor: {executor_text(deployment.executor)}, as set in the flow")
    if registered.files:
        total = size_text(sum(file.size for file in registered.files))
        lines.append(f"  data files: {len(registered.files)} ({total})")
    if deployment.next_runs:
        moments = ", ".join(f"{moment:%a %d %b %H:%M %Z}" for moment in deployment.next_runs)
        lines.append(f"  next runs: {moments}")
    lines += [f"  warning: {finding.sentence}" for finding in registered.warnings]
    return "\n".join(lines)


def executor_text(executor: ExecutorChoice | None) -> str:
    """Format an executor's name, with its options if it replaces the flow's own task runner."""
    if executor is None:
        return "unknown"
    options = ", ".join(f"{name}={value}" for name, value in executor.options.items() if value is not None)
    return f"{executor.name} ({options})" if executor.from_flow and options else executor.name


def kept_change_text(change: Change) -> str:
    """Format a change in Prefect that the registration kept."""
    return f"{change.name} {change.after if change.after is not None else 'removed'}"


def schedule_text(schedule: Schedule) -> str:
    """Format a schedule for display."""
    name = f"{schedule.name}: " if schedule.name else ""
    timing = (
        f"every {_duration_text(schedule.seconds)}{schedule.bounds} ({schedule.timezone})"
        if isinstance(schedule, IntervalSchedule)
        else schedule.times
    )
    given = ", ".join(f"{key}={value!r}" for key, value in schedule.parameters.items())
    return f"{name}{timing}{f' with {given}' if given else ''}{'' if schedule.active else ', inactive'}"


def _duration_text(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{unit}" if seconds == length else f"{seconds / length:.0f} {unit}s"
    return f"{seconds:g} seconds"
