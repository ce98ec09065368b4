"""State messages that every Prefect API accepts, for any text of an exception.

A request with half of a surrogate pair cannot be encoded, and PostgreSQL accepts no NUL: setting the state would fail, and the
run would end as *Crashed* without the exception's message.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

_MARK = "_satflow_encodable"


def make_messages_encodable() -> None:
    r"""Escape such characters as Python does (`\udcff`, `\x00`) in the message of each state that this process creates."""
    from prefect.client.schemas.objects import State

    make = State.__init__
    if hasattr(make, _MARK):
        return

    @wraps(make)
    def make_encodable(self: State[Any], *args: Any, **fields: Any) -> None:
        if isinstance(message := fields.get("message"), str):
            fields["message"] = escape_unencodable(message)
        make(self, *args, **fields)

    setattr(make_encodable, _MARK, True)
    State.__init__ = make_encodable  # type: ignore[method-assign,assignment]  # pydantic's own spells each field


def escape_unencodable(text: str) -> str:
    """Return the text with halves of surrogate pairs and NUL escaped."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
