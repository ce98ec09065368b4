"""A run group as text in a terminal and as a table in a notebook: progress, and the points that failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from satflow_ext.display.preflight import as_html, as_text
from satflow_ext.display.run_view import progress_bar
from satflow_ext.models import PointState, RunGroup, RunGroupPlan, RunPoint, failed_points
from satflow_ext.parameter_values.text import parameters_text

SHOWN_FAILURES = 5
"""Number of failed points that are shown."""
MAX_MESSAGE_LENGTH = 200
"""Maximum number of characters that are shown of the reason of a failure."""
STATE_WORDS: Mapping[PointState, str] = {
    "RUNNING": "running",
    "PENDING": "pending",
    "SCHEDULED": "scheduled",
    "PAUSED": "paused",
    "CANCELLING": "cancelling",
    "WAITING": "waiting",
    "FAILED": "failed",
    "CRASHED": "crashed",
    "REFUSED": "refused",
    "CANCELLED": "cancelled",
    "DELETED": "deleted",
}
"""The words for the states of points besides completed ones, in the order in which they are shown."""


@dataclass(frozen=True)
class GroupView:
    """The display of a run group, and of the first of those points that failed."""

    group: RunGroup
    points: Sequence[RunPoint]

    def rows(self) -> Iterator[tuple[str, str]]:
        """Return the (label, value) rows."""
        group = self.group
        yield "Run group", group.name
        yield "Deployment", f"{group.flow_name}/{group.deployment_name}"
        yield "State", group.state
        yield "Runs", counts_text(group)
        if group.problem:
            yield "Problem", group.problem
        if failed := failed_points(self.points):
            yield "Failed", "\n".join(_failure_lines(failed, group.varied))

    def __repr__(self) -> str:
        return as_text(self.rows(), width=12)

    def _repr_html_(self) -> str:
        return as_html(self.rows())


@dataclass(frozen=True)
class PlanView:
    """The display of the runs that a request would start."""

    plan: RunGroupPlan

    def rows(self) -> Iterator[tuple[str, str]]:
        """Return the (label, value) rows."""
        plan = self.plan
        yield "Run group", f"{plan.name} ({'continued' if plan.exists else 'new'})"
        yield "Deployment", f"{plan.flow_name}/{plan.deployment_name}"
        yield "Runs", f"{plan.runs} of {plan.points} points{_duplicates_text(plan.duplicates)}"
        further = plan.runs - len(plan.first)
        lines = [parameters_text(each) for each in plan.first] + ([f"… and {further} more"] if further else [])
        if lines:
            yield "First", "\n".join(lines)

    def __repr__(self) -> str:
        return as_text(self.rows(), width=12)

    def _repr_html_(self) -> str:
        return as_html(self.rows())


def counts_text(group: RunGroup) -> str:
    """Format the progress of a group: a bar, and the numbers of points by their state."""
    completed = group.counts.get("COMPLETED", 0)
    words = [f"{completed} of {group.total} completed"]
    words += [f"{group.counts[state]} {word}" for state, word in STATE_WORDS.items() if group.counts.get(state)]
    return f"{progress_bar(completed, group.total)} {', '.join(words)}"


def _duplicates_text(number: int) -> str:
    return f" ({number} duplicates left out)" if number else ""


def _failure_lines(failed: Sequence[RunPoint], varied: Sequence[str]) -> Iterator[str]:
    for point in failed[:SHOWN_FAILURES]:
        values = {name: point.parameters[name] for name in varied if name in point.parameters}
        message = (point.message or "").replace("\n", " ")
        if len(message) > MAX_MESSAGE_LENGTH:
            message = f"{message[:MAX_MESSAGE_LENGTH]}…"
        yield f"{parameters_text(values or point.parameters)}: {message or STATE_WORDS[point.state]}"
    if len(failed) > SHOWN_FAILURES:
        yield f"… and {len(failed) - SHOWN_FAILURES} more"
