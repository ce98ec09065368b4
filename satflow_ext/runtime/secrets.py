"""The credentials that a registration names, found before any of the user's code runs."""

from __future__ import annotations

from collections.abc import Iterable

from satflow_ext.credentials import find, guard
from satflow_ext.runtime import this_run
from satflow_ext.settings import Settings


def provide(names: Iterable[str], settings: Settings) -> None:
    """Put the values into the environment of this flow run, and keep them out of its log and its states.

    Raises:
        SecretsMissing: some were not found.
    """
    found = find.values(names, settings)
    guard.give(found)
    if short := guard.too_short(found):
        this_run.log().warning(f"Too short to be hidden in this log: the value of {', '.join(short)}.")
