"""What no work pool is told: whatever it is told, Prefect stores readable."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from satflow_ext.credentials.shapes import credential
from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.models import Infrastructure


def check_plain(wanted: Infrastructure, *, local: bool) -> None:
    """Refuse what no work pool is told.

    Args:
        wanted: what the user decided.
        local: whether the local stack runs it, which has a command of its own for each version.

    Raises:
        InvalidInfrastructure: a credential, which Prefect would store readable; or the local stack's command.
    """
    for path, text in _texts(wanted.model_dump(include={"env", "job_variables"})):
        if what := credential(text, path[-1]):
            field = ".".join(("infrastructure", *path))
            raise InvalidInfrastructure(
                f"{path[-1]} looks like {what}, and Prefect would store it readable.",
                fix="Declare it by name (--secret NAME, docs/secrets.md), or name a block of Prefect's in its place: "
                '"{{ prefect.blocks.secret.NAME }}".',
                field=field,
            )
    if local and "command" in wanted.job_variables:
        raise InvalidInfrastructure(
            "The local stack starts each version with a command of its own.",
            fix="Leave it out.",
            field="infrastructure.job_variables.command",
        )


def _texts(value: JsonValue, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str) and path:
        yield path, value
    elif isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else ((str(at), each) for at, each in enumerate(value))
        for key, each in items:
            yield from _texts(each, (*path, key))
