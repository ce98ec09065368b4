"""The witness: a variable in Prefect's database that says how many of a deployment's writes this database has seen.

It is written after the row. A database that lost its last commits (SQLite after a power cut, a copy put back) has lost the
witness with the row or before it, while one in which somebody deleted the row has the witness still (docs/decisions/0014).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from satflow_ext.errors import SatflowError
from satflow_ext.prefect_api import absent

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

TAG = "satflow"


class _NoWitness(SatflowError):
    """Prefect has no such variable."""


async def leave(client: PrefectClient, name: str, number: int) -> None:
    """Say that a write has been seen.

    Raises:
        PrefectFailed: it was not kept.
    """
    from prefect.client.schemas.actions import VariableCreate, VariableUpdate

    try:
        with absent(_NoWitness("none yet")):
            await client.update_variable(VariableUpdate(name=name, value=number))
    except _NoWitness:
        await client.create_variable(VariableCreate(name=name, value=number, tags=[TAG]))


async def seen(client: PrefectClient, name: str) -> int:
    """How many writes the database has seen, 0 for none.

    Raises:
        PrefectFailed: the API did not answer.
    """
    found = await client.read_variable_by_name(name)
    return found.value if found is not None and isinstance(found.value, int) else 0


async def remove(client: PrefectClient, name: str) -> None:
    """Take it away, if it is there.

    Raises:
        PrefectFailed: the API did not answer.
    """
    with contextlib.suppress(_NoWitness), absent(_NoWitness("none any more")):
        await client.delete_variable_by_name(name)
