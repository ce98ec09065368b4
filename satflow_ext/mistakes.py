"""What is wrong with a request or with arguments, in the words of the form or the call that has them."""

from __future__ import annotations

from pydantic import ValidationError

from satflow_ext.errors import BadRequest, InvalidSecretName

TAGS = frozenset({"none", "cron", "interval", "subscribe", "unsubscribe"})
"""Names that pydantic puts into a path to say which of several models it tried."""


def first_mistake(error: ValidationError) -> BadRequest:
    """The first thing that does not fit."""
    first = error.errors(include_url=False, include_input=False)[0]
    parts = [str(part) for part in first["loc"]]
    if parts[:1] == ["secrets"] and first["type"] == "string_pattern_mismatch":
        return InvalidSecretName()
    if parts[:1] == ["order"]:  # its kind follows, as pydantic tells of a choice between several models
        del parts[1:2]
    field = ".".join(part for at, part in enumerate(parts) if not (part in TAGS and at < len(parts) - 1))
    if first["type"] == "json_invalid":
        return BadRequest(f"The request's body is not JSON: {first['ctx']['error']}.")
    return BadRequest(f"{field}: {first['msg']}." if field else f"{first['msg']}.", field=field or None)
