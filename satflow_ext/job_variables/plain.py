"""What no work pool is told: whatever it is told, Prefect stores readable."""

from __future__ import annotations

from satflow_ext.credentials.shapes import first_credential
from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.models import Infrastructure

COMMAND = "command"
"""The job variable with what a Prefect worker starts."""


def check_plain(wanted: Infrastructure, *, local: bool) -> None:
    """Refuse what no work pool is told.

    Args:
        wanted: what the user decided.
        local: whether the local stack runs it, which has a command of its own for each version.

    Raises:
        InvalidInfrastructure: a credential, which Prefect would store readable; or the local stack's command.
    """
    found = first_credential(wanted.model_dump(include={"env", "job_variables"}))
    if found is not None:
        path, what = found
        raise InvalidInfrastructure(
            f"{path[-1]} looks like {what}, and Prefect would store it readable.",
            fix="Declare it by name (--secret NAME, docs/secrets.md), or name a block of Prefect's in its place: "
            '"{{ prefect.blocks.secret.NAME }}".',
            field=".".join(("infrastructure", *path)),
        )
    if local and COMMAND in wanted.job_variables:
        raise InvalidInfrastructure(
            "The local stack starts each version with a command of its own.",
            fix="Leave it out.",
            field=f"infrastructure.job_variables.{COMMAND}",
        )
