"""Words on the command line that no flag takes, and words for what several commands print."""

from __future__ import annotations

from collections.abc import Sequence

from satflow_ext.errors import BadRequest
from satflow_ext.models import Change


def refuse_rest(rest: Sequence[str], command: str) -> None:
    """Refuse what a command does not know.

    Raises:
        BadRequest: there is such a word.
    """
    if rest:
        raise BadRequest(f"Unknown words: {' '.join(rest)}.", fix=f"See satflow {command} --help.")


def changed(change: Change) -> str:
    """One difference on a line."""
    if change.before is None:
        return f"{change.name}: {change.after} added"
    if change.after is None:
        return f"{change.name}: {change.before} removed"
    return f"{change.name}: {change.before} → {change.after}"
