"""Errors on their way to the browser."""

from __future__ import annotations

from satflow_ext.errors import SatflowError
from satflow_ext.models import ErrorBody


def as_body(error: SatflowError) -> ErrorBody:
    """The reply, or the part of a frame, that tells of an error."""
    return ErrorBody(error=type(error).__name__, message=error.message, fix=error.fix, field=error.field)
