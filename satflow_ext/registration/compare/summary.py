"""A summary of changes on one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from satflow_ext.models import Change, VersionDiff

FEW = 3
"""Maximum number of names that are listed; beyond it, only their number is given."""


def summary(diff: VersionDiff) -> str:
    """List the kinds of change, most important first."""
    return "; ".join(_parts(diff)) or "nothing"


def _parts(diff: VersionDiff) -> Iterator[str]:
    if diff.code:
        yield f"code of {_names((piece.name for piece in diff.code), 'pieces')}"
    if diff.parameters:
        yield f"parameter {_arrow(diff.parameters)}"
    if diff.executor:
        another = tuple(change for change in diff.executor if change.name == "executor")
        yield _arrow(another or diff.executor)
    if diff.choices:
        yield _arrow(diff.choices)
    if diff.environment:
        yield _arrow(diff.environment)
    if diff.packages:
        yield f"packages {_names((change.name for change in diff.packages), 'packages')}"
    if diff.unexplained:
        yield "captured data"


def _arrow(changes: tuple[Change, ...]) -> str:
    if len(changes) > 1:
        return _names((change.name for change in changes), "changes")
    (change,) = changes
    if change.before is None or change.after is None:
        return f"{change.name} {'added' if change.before is None else 'removed'}"
    return f"{change.name} {_short(change.before)} → {_short(change.after)}"


def _names(names: Iterable[str], word: str) -> str:
    known = list(names)
    return ", ".join(known) if len(known) <= FEW else f"{len(known)} {word}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
