"""The names that can be registered, and reads of Prefect's objects by names from users."""

from __future__ import annotations

import unicodedata

from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.prefect_api import PrefectClient, replace_not_found
from satflow_ext.prefect_rows import DeploymentRow, WorkPoolRow

MAX_NAME_LENGTH = 255
"""Characters of a name. Two such names, quoted, fit into the 8 KiB that web servers accept as the request line."""

FORBIDDEN_CHARACTERS = "/%&<>"
"""The characters that Prefect forbids in names of flows, deployments and work pools."""

RELATIVE_FOLDERS = frozenset({".", ".."})
"""Names that would be folders in a path."""


class _NoDeployment(SatflowError):
    """Prefect has no such deployment."""


def check_flow_name(name: str) -> None:
    """Reject a flow name that Prefect, a path or the command line does not support.

    Raises:
        BadRequest: the name and the reason.
    """
    if reason := _find_name_problem(name):
        raise BadRequest(
            f"{name!r} is not a valid flow name: {reason}.", fix="Rename it: @flow(name=...).", field="name"
        )


def check_deployment_name(name: str) -> None:
    """Reject a deployment name that Prefect, a path or the command line does not support.

    Raises:
        BadRequest: the name and the reason.
    """
    if reason := _find_name_problem(name) or _find_version_suffix(name):
        raise BadRequest(
            f"{name!r} is not a valid deployment name: {reason}.", fix="Choose another name.", field="name"
        )


async def read_deployment(client: PrefectClient, full_name: str) -> DeploymentRow | None:
    """Read the deployment `flow/deployment`, None if Prefect has none.

    Raises:
        PrefectFailed: the API did not answer.
    """
    flow_name, _, name = full_name.partition("/")
    try:
        with replace_not_found(_NoDeployment("no such deployment")):
            return await client.read_deployment_by_name(flow_name, name)
    except _NoDeployment:
        return None


async def read_work_pool(client: PrefectClient, name: str, missing: SatflowError) -> WorkPoolRow:
    """Read the work pool of that name.

    Raises:
        SatflowError: `missing`, if Prefect has none.
    """
    if not name or _find_forbidden_characters(
        name
    ):  # Prefect has none; servers would treat a quoted slash as part of the path
        raise missing
    with replace_not_found(missing):
        return await client.read_work_pool(name)


def _find_name_problem(name: str) -> str | None:
    if not name.strip():
        return "it is empty"
    if name in RELATIVE_FOLDERS:
        return "it would be a folder in a web address"
    if len(name) > MAX_NAME_LENGTH:
        return f"it has {len(name)} characters, and at most {MAX_NAME_LENGTH} are allowed"
    wrong = _find_forbidden_characters(name)
    return f"it contains {', '.join(map(repr, wrong))}" if wrong else None


def _find_forbidden_characters(name: str) -> list[str]:
    """List the characters that Prefect forbids, control characters, and surrogates, which cannot be encoded."""
    return sorted({char for char in name if char in FORBIDDEN_CHARACTERS or unicodedata.category(char) in ("Cc", "Cs")})


def _find_version_suffix(name: str) -> str | None:
    before, at, number = name.rpartition("@")
    if at and before and number.isascii() and number.isdigit():
        return f"its end '@{number}' would be read as version {number} of {before!r}"
    return None
