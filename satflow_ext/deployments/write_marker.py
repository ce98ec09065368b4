"""The write marker: a variable in Prefect's database that counts the writes of a deployment in that database.

It is written after the row. A database that lost its last commits (SQLite after a power cut, a restored copy) has lost the marker
together with the row or before it. A database whose row was deleted still has the marker (docs/decisions/0014).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from satflow_ext.errors import SatflowError
from satflow_ext.prefect_api import replace_not_found

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

TAG = "satflow"


class _MarkerMissing(SatflowError):
    """Prefect has no such variable."""


async def set_marker(client: PrefectClient, name: str, number: int) -> None:
    """Record the number of a write.

    Raises:
        PrefectFailed: the number was not stored.
    """
    from prefect.client.schemas.actions import VariableCreate, VariableUpdate

    try:
        with replace_not_found(_MarkerMissing("none yet")):
            await client.update_variable(VariableUpdate(name=name, value=number))
    except _MarkerMissing:
        await client.create_variable(VariableCreate(name=name, value=number, tags=[TAG]))


async def read_marker(client: PrefectClient, name: str) -> int:
    """Read the number of writes that the database has, 0 for none.

    Raises:
        PrefectFailed: the API did not answer.
    """
    found = await client.read_variable_by_name(name)
    return found.value if found is not None and isinstance(found.value, int) else 0


async def remove_marker(client: PrefectClient, name: str) -> None:
    """Remove the marker, if it exists.

    Raises:
        PrefectFailed: the API did not answer.
    """
    with contextlib.suppress(_MarkerMissing), replace_not_found(_MarkerMissing("already removed")):
        await client.delete_variable_by_name(name)
