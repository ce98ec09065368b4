"""The comparison of named facts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from satflow_ext.models import Change


def compare_facts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the facts that differ, in the order of the later mapping, with removed ones last."""
    names = [name for name in {**after, **before} if before.get(name) != after.get(name)]
    return tuple(Change(name=name, before=before.get(name), after=after.get(name)) for name in names)


def format_value(value: JsonValue) -> str:
    """Format a value for display: text unchanged, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
