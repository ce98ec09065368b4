"""A flow run as text in a terminal and as a table in a notebook: state, progress of its tasks, last log lines."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from satflow_ext.display.preflight import as_html, as_text
from satflow_ext.models import LogLine, Run, RunDetail, StateType, TaskRun

SHOWN_LINES = 10
"""Number of the last log lines that are shown."""
MAX_LINE_LENGTH = 300
"""Maximum number of characters that are shown of a line."""
BAR_LENGTH = 20
STATE_WORDS: tuple[tuple[StateType, str], ...] = (
    ("RUNNING", "running"),
    ("FAILED", "failed"),
    ("CRASHED", "crashed"),
    ("CANCELLED", "cancelled"),
)
"""The states of tasks that are counted in words, besides completed ones."""


@dataclass(frozen=True)
class RunView:
    """The display of a run: its details, its task runs, and the last lines of its log, oldest first."""

    detail: RunDetail
    task_runs: Sequence[TaskRun] = ()
    lines: Sequence[LogLine] = ()

    def rows(self) -> Iterator[tuple[str, str]]:
        """Return the (label, value) rows."""
        run = self.detail.run
        yield "Run", f"{run.name} ({run.id})"
        yield "Deployment", full_name(run)
        yield "State", state_text(run)
        if run.why_waiting:
            yield "Waiting", run.why_waiting
        if self.task_runs:
            yield "Tasks", tasks_text(self.task_runs)
        if self.detail.failure:
            yield "Failure", self.detail.failure.cause
        if self.lines:
            yield "Log", "\n".join(f"{line.time.astimezone():%H:%M:%S} {_shorten(line.message)}" for line in self.lines)

    def __repr__(self) -> str:
        return as_text(self.rows(), width=12)

    def _repr_html_(self) -> str:
        return as_html(self.rows())


def full_name(run: Run) -> str:
    """Return `flow/deployment` of a run, or the flow's name if its deployment was deleted."""
    return f"{run.flow_name}/{run.deployment_name}" if run.deployment_name else run.flow_name


def state_text(run: Run) -> str:
    """Format the state of a run and its duration."""
    return f"{run.state_name}, {run.duration:.1f} s" if run.start else run.state_name


def time_and_level(line: LogLine) -> str:
    """Format the local time and the level of a log line, with the same width for all usual levels."""
    return f"{line.time.astimezone():%H:%M:%S} {logging.getLevelName(line.level):<8}"


def tasks_text(tasks: Sequence[TaskRun]) -> str:
    """Format the progress of tasks: a bar, and the numbers of tasks by their state."""
    counts = Counter(task.state_type for task in tasks)
    completed = counts["COMPLETED"]
    words = [f"{completed} of {len(tasks)} completed"]
    words += [f"{counts[state]} {word}" for state, word in STATE_WORDS if counts[state]]
    return f"{progress_bar(completed, len(tasks))} {', '.join(words)}"


def progress_bar(completed: int, total: int) -> str:
    """Return a bar of characters."""
    filled = BAR_LENGTH * completed // max(total, 1)
    return f"{'█' * filled}{'░' * (BAR_LENGTH - filled)}"


def _shorten(message: str) -> str:
    line = message.replace("\n", " ⏎ ")
    return line if len(line) <= MAX_LINE_LENGTH else f"{line[:MAX_LINE_LENGTH]}…"
