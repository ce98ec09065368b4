"""Leftover command-line arguments."""

from __future__ import annotations

from collections.abc import Sequence

from satflow_ext.errors import BadRequest


def refuse_extra_arguments(rest: Sequence[str], command: str) -> None:
    """Refuse arguments that a command does not have.

    Raises:
        BadRequest: there is such an argument.
    """
    if rest:
        raise BadRequest(f"Unknown arguments: {' '.join(rest)}.", fix=f"See satflow {command} --help.")
