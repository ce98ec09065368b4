"""Leftover command-line arguments, and text that several commands print."""

from __future__ import annotations

from collections.abc import Sequence

from satflow_ext.errors import BadRequest
from satflow_ext.models import Change


def refuse_extra_arguments(rest: Sequence[str], command: str) -> None:
    """Refuse arguments that a command does not have.

    Raises:
        BadRequest: there is such an argument.
    """
    if rest:
        raise BadRequest(f"Unknown arguments: {' '.join(rest)}.", fix=f"See satflow {command} --help.")


def format_change(change: Change) -> str:
    """Format one change as a line."""
    if change.before is None:
        return f"{change.name}: {change.after} added"
    if change.after is None:
        return f"{change.name}: {change.before} removed"
    return f"{change.name}: {change.before} → {change.after}"
