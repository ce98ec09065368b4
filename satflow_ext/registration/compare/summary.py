"""A summary of changes on one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from satflow_ext.models import Change, VersionDiff

MAX_NAMES = 3
"""Maximum number of names that are listed; beyond it, only their number is given."""


def summarize_diff(diff: VersionDiff) -> str:
    """List the kinds of change, most important first."""
    return "; ".join(_change_parts(diff)) or "nothing"


def _change_parts(diff: VersionDiff) -> Iterator[str]:
    if diff.code:
        yield f"code of {_format_names((piece.name for piece in diff.code), 'pieces')}"
    if diff.parameters:
        yield f"parameter {_format_changes(diff.parameters)}"
    if diff.executor:
        another = tuple(change for change in diff.executor if change.name == "executor")
        yield _format_changes(another or diff.executor)
    if diff.choices:
        yield _format_changes(diff.choices)
    if diff.environment:
        yield _format_changes(diff.environment)
    if diff.packages:
        yield f"packages {_format_names((change.name for change in diff.packages), 'packages')}"
    if diff.unexplained:
        yield "captured data"


def _format_changes(changes: tuple[Change, ...]) -> str:
    if len(changes) > 1:
        return _format_names((change.name for change in changes), "changes")
    (change,) = changes
    if change.before is None or change.after is None:
        return f"{change.name} {'added' if change.before is None else 'removed'}"
    return f"{change.name} {_shorten_text(change.before)} → {_shorten_text(change.after)}"


def _format_names(names: Iterable[str], word: str) -> str:
    known = list(names)
    return ", ".join(known) if len(known) <= MAX_NAMES else f"{len(known)} {word}"


def _shorten_text(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
