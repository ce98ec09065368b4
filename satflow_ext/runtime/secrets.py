"""The credentials that a registration names, read before any of the user's code runs."""

from __future__ import annotations

from collections.abc import Iterable

from satflow_ext.credentials import redacting_filter, secret_sources
from satflow_ext.runtime import this_run
from satflow_ext.settings import Settings


def provide_secrets(names: Iterable[str], settings: Settings) -> None:
    """Put the values into the environment of this flow run, and redact them in its log and states.

    Raises:
        SecretsMissing: some were not found.
    """
    found = secret_sources.find_secrets(names, settings)
    redacting_filter.provide_secrets(found)
    if short := redacting_filter.too_short_names(found):
        this_run.get_logger().warning(f"Too short to be hidden in this log: the value of {', '.join(short)}.")
