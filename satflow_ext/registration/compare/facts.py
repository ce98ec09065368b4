"""Facts under names, compared."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from satflow_ext.models import Change


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """What differs, in the order of the later one, removed ones last."""
    names = [name for name in {**after, **before} if before.get(name) != after.get(name)]
    return tuple(Change(name=name, before=before.get(name), after=after.get(name)) for name in names)


def said(value: JsonValue) -> str:
    """A value for reading: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
