"""Differences in code, function by function."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal

from satflow_ext.models import CodeChange, Source
from satflow_ext.registration.compare.pieces import Piece, pieces

LONGEST = 5000
"""Maximum number of lines in a piece for which a diff is made: a longer diff takes too long and is not readable."""


def changes(before: Source, after: Source) -> tuple[CodeChange, ...]:
    """Return pieces that were added, removed or changed, in the order of the later version, with removed ones last."""
    old, new = pieces(before), pieces(after)
    names = [*new, *(name for name in old if name not in new)]
    return tuple(_changes(old, new, names))


def _changes(old: dict[str, Piece], new: dict[str, Piece], names: list[str]) -> Iterator[CodeChange]:
    for name in names:
        was, now = old.get(name), new.get(name)
        if (was and was.text) != (now and now.text):
            known = now or was
            assert known is not None  # each name is in `old` or in `new`
            yield CodeChange(name=name, kind=known.kind, change=_change(was, now), diff=_diff(name, was, now))


def _change(was: Piece | None, now: Piece | None) -> Literal["added", "removed", "changed"]:
    if was is None:
        return "added"
    return "removed" if now is None else "changed"


def _diff(name: str, was: Piece | None, now: Piece | None) -> str:
    old, new = (piece.text.splitlines() if piece else [] for piece in (was, now))
    if max(len(old), len(new)) > LONGEST:
        return f"{len(old)} lines became {len(new)}; too long to compare line by line."
    return "\n".join(difflib.unified_diff(old, new, f"{name} before", f"{name} after", lineterm=""))
