"""Names in Prefect's REST paths: validation of names, and reads of objects by name.

Prefect's client inserts names into paths unquoted, so that everything after a `#` or `?` would be lost, and a `..` would leave
the path. Every read by name goes through this module, which quotes the name first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.prefect_api import replace_not_found

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Worker, WorkPool
    from prefect.client.schemas.responses import DeploymentResponse

MAX_NAME_LENGTH = 255
"""Characters of a name. Two such names, quoted, fit into the 8 KiB that web servers accept as the request line."""

FORBIDDEN_CHARACTERS = "/%&<>"
"""The characters that Prefect forbids in names of flows, deployments and work pools."""

_QUOTED_DOTS = {".": "%2E", "..": "%2E%2E"}
"""Names that would shorten a path; `quote` does not change dots."""


class _NoDeployment(SatflowError):
    """Prefect has no such deployment."""


def quote_name(name: str) -> str:
    """Quote a name as one segment of a path."""
    return _QUOTED_DOTS.get(name) or quote(name, safe="")


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


async def read_deployment(client: PrefectClient, full_name: str) -> DeploymentResponse | None:
    """Read the deployment `flow/deployment`, None if Prefect has none.

    Raises:
        PrefectFailed: the API did not answer.
    """
    flow_name, _, name = full_name.partition("/")
    try:
        with replace_not_found(_NoDeployment("no such deployment")):
            return await client.read_deployment_by_name(f"{quote_name(flow_name)}/{quote_name(name)}")
    except _NoDeployment:
        return None


async def read_work_pool(client: PrefectClient, name: str, missing: SatflowError) -> WorkPool:
    """Read the work pool of that name.

    Raises:
        SatflowError: `missing`, if Prefect has none.
    """
    if not name or _find_forbidden_characters(
        name
    ):  # Prefect has none; servers would treat a quoted slash as part of the path
        raise missing
    with replace_not_found(missing):
        return await client.read_work_pool(quote_name(name))


async def read_workers(client: PrefectClient, work_pool: str) -> Sequence[Worker]:
    """Read the Prefect workers of a work pool."""
    return await client.read_workers_for_work_pool(quote_name(work_pool))


def _find_name_problem(name: str) -> str | None:
    if not name.strip():
        return "it is empty"
    if name in _QUOTED_DOTS:
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
