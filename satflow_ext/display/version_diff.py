"""The differences between two versions as text."""

from __future__ import annotations

from collections.abc import Iterator

from satflow_ext.models import Change, TaskChange, VersionDiff

SECTIONS = {
    "parameters": "Parameters",
    "executor": "Executor",
    "choices": "Choices",
    "environment": "Interpreter",
    "packages": "Packages",
}


def format_diff(diff: VersionDiff) -> str:
    """Format the differences, or state that there are none."""
    lines = [*_diff_lines(diff)]
    return "\n".join(lines or [f"Versions {diff.before} and {diff.after} do not differ."])


def _diff_lines(diff: VersionDiff) -> Iterator[str]:
    for name, title in SECTIONS.items():
        if changes := getattr(diff, name):
            yield f"{title}:"
            yield from (f"  {format_change(change)}" for change in changes)
    for task in diff.tasks:
        yield from _task_lines(task)
    for piece in diff.code:
        yield f"Code, {piece.kind} {piece.name} {piece.change}:"
        yield from (f"  {line}" for line in piece.diff.splitlines()[2:])
    if diff.unexplained:
        yield diff.unexplained


def _task_lines(change: TaskChange) -> Iterator[str]:
    yield f"Tasks of {change.flow}:"
    yield f"  before  {'; '.join(change.before) or 'none'}"
    yield f"  after   {'; '.join(change.after) or 'none'}"
    for word, names in (("added", change.added), ("removed", change.removed)):
        if names:
            yield f"  {word}: {', '.join(names)}"
    if change.rewired:
        yield "  the other tasks are called in a different order, or use different results"
    for each in change.unsaid:
        yield f"  cannot be determined: it {each}"


def format_change(change: Change) -> str:
    """Format one change as a line."""
    if change.before is None:
        return f"{change.name}: {change.after} added"
    if change.after is None:
        return f"{change.name}: {change.before} removed"
    return f"{change.name}: {change.before} → {change.after}"
