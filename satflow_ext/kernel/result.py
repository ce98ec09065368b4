"""What registering gives: shown as text in a terminal and as a small table in a notebook."""

from __future__ import annotations

from dataclasses import dataclass

from satflow_ext.kernel.sizes import size_text
from satflow_ext.kernel.table import as_html, as_text
from satflow_ext.models import Change, CronSchedule, IntervalSchedule, Registered, Run, Schedule

OUTCOMES = {
    "created": "registered",
    "changed": "changed",
    "unchanged": "unchanged, nothing new was made",
    "restored": "as it was registered again",
}


@dataclass(frozen=True)
class RegisteredFlow:
    """A deployment and, where one was asked for, the run that was started."""

    registered: Registered
    run: Run | None

    def rows(self) -> list[tuple[str, str]]:
        """(word, what it says), top to bottom."""
        deployment = self.registered.deployment
        rows = [
            ("Deployment", f"{deployment.flow_name}/{deployment.name}"),
            ("Version", f"{deployment.version}, {OUTCOMES[self.registered.outcome]}"),
            ("Executor", deployment.executor.name if deployment.executor else "unknown"),
            ("Work pool", deployment.work_pool or "none"),
            ("Schedule", schedule_words(deployment.schedule)),
        ]
        if deployment.next_runs:
            rows.append(("Next runs", "\n".join(f"{time:%a %d %b %Y %H:%M %Z}" for time in deployment.next_runs[:5])))
        if files := self.registered.files:
            rows.append(("Data files", f"{len(files)}, {size_text(sum(file.size for file in files))}"))
        if warning := other_notebook_words(self.registered.other_notebook, deployment.notebook):
            rows.append(("Warning", warning))
        rows += [("Kept", f"{kept_words(change)} was changed in Prefect") for change in self.registered.kept]
        if self.run is not None:
            rows.append(("Run", f"{self.run.name} started"))
        return rows

    def __repr__(self) -> str:
        return as_text(self.rows(), width=12)

    def _repr_html_(self) -> str:
        return as_html(self.rows())


def other_notebook_words(other: str | None, now: str | None) -> str | None:
    """Warn that a version was registered from another notebook than the one before.

    Args:
        other: the notebook of the version before, None where it is the same one.
        now: the notebook of the version that is live now; the other one where nothing changed.
    """
    if other is None:
        return None
    if other == now:
        return f"was registered from {other} before, and two notebooks now have this flow"
    return f"was registered from {other} before, now from {now}"


def kept_words(change: Change) -> str:
    """What somebody has changed in Prefect and what stays so."""
    return f"{change.name} {change.after if change.after is not None else 'removed'}"


def schedule_words(schedule: Schedule) -> str:
    """The schedule as people say it."""
    if isinstance(schedule, CronSchedule):
        return f"{schedule.cron} ({schedule.timezone})"
    if isinstance(schedule, IntervalSchedule):
        return f"every {_duration(schedule.seconds)} ({schedule.timezone})"
    return "none, runs start by hand"


def _duration(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{unit}" if seconds == length else f"{seconds / length:.0f} {unit}s"
    return f"{seconds:g} seconds"
