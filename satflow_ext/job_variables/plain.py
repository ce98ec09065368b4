"""Checks for settings that must not be in job variables, which Prefect stores in plain text."""

from __future__ import annotations

from satflow_ext.credentials.shapes import find_credential
from satflow_ext.errors import InvalidInfrastructure
from satflow_ext.models import Infrastructure

COMMAND = "command"
"""The job variable with the command that a Prefect worker starts."""


def check_plain_text(infrastructure: Infrastructure, *, local: bool) -> None:
    """Refuse settings that must not be in job variables.

    Args:
        infrastructure: the user's settings.
        local: whether the local stack runs the deployment; it sets the command for each version itself.

    Raises:
        InvalidInfrastructure: a credential, which Prefect would store in plain text; or the local stack's command.
    """
    found = find_credential(infrastructure.model_dump(include={"env", "job_variables"}))
    if found is not None:
        path, what = found
        raise InvalidInfrastructure(
            f"{path[-1]} looks like {what}, and Prefect would store it in plain text.",
            fix="Declare it by name (--secret NAME, docs/secrets.md), or refer to a Prefect block instead: "
            '"{{ prefect.blocks.secret.NAME }}".',
            field=".".join(("infrastructure", *path)),
        )
    if local and COMMAND in infrastructure.job_variables:
        raise InvalidInfrastructure(
            f"The job variable {COMMAND} cannot be set: the local stack sets the command of each version itself.",
            fix="Leave it out.",
            field=f"infrastructure.job_variables.{COMMAND}",
        )
