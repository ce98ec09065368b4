"""Words on the command line that no flag takes."""

from __future__ import annotations

from collections.abc import Sequence

from satflow_ext.errors import BadRequest


def refuse_rest(rest: Sequence[str], command: str) -> None:
    """Refuse what a command does not know.

    Raises:
        BadRequest: there is such a word.
    """
    if rest:
        raise BadRequest(f"Unknown words: {' '.join(rest)}.", fix=f"See satflow {command} --help.")
