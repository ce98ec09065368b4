"""Differences in code, function by function."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal

from satflow_ext.models import CodeChange, Source
from satflow_ext.registration.compare.pieces import SourcePiece, split_source

MAX_DIFF_LINES = 5000
"""Maximum number of lines in a piece for which a diff is made: a longer diff takes too long and is not readable."""


def compare_code(before: Source, after: Source) -> tuple[CodeChange, ...]:
    """Return pieces that were added, removed or changed, in the order of the later version, with removed ones last."""
    old, new = split_source(before), split_source(after)
    names = [*new, *(name for name in old if name not in new)]
    return tuple(_code_changes(old, new, names))


def _code_changes(old: dict[str, SourcePiece], new: dict[str, SourcePiece], names: list[str]) -> Iterator[CodeChange]:
    for name in names:
        was, now = old.get(name), new.get(name)
        if (was and was.text) != (now and now.text):
            known = now or was
            assert known is not None  # each name is in `old` or in `new`
            yield CodeChange(
                name=name, kind=known.kind, change=_change_kind(was, now), diff=_unified_diff(name, was, now)
            )


def _change_kind(was: SourcePiece | None, now: SourcePiece | None) -> Literal["added", "removed", "changed"]:
    if was is None:
        return "added"
    return "removed" if now is None else "changed"


def _unified_diff(name: str, was: SourcePiece | None, now: SourcePiece | None) -> str:
    old, new = (piece.text.splitlines() if piece else [] for piece in (was, now))
    if max(len(old), len(new)) > MAX_DIFF_LINES:
        return f"{len(old)} lines became {len(new)}; too long to compare line by line."
    return "\n".join(difflib.unified_diff(old, new, f"{name} before", f"{name} after", lineterm=""))
