"""The write marker: a variable in Prefect's database that counts the writes of a deployment in that database.

It is written after the row. A database that lost its last commits (SQLite after a power cut, a restored copy) has lost the marker
together with the row or before it. A database whose row was deleted still has the marker (docs/decisions/0014).
"""

from __future__ import annotations

import contextlib

from satflow_ext.errors import SatflowError
from satflow_ext.prefect_api import PrefectClient, replace_not_found

TAG = "satflow"


class _MarkerMissing(SatflowError):
    """Prefect has no such variable."""


async def set_marker(client: PrefectClient, name: str, number: int) -> None:
    """Record the number of a write.

    Raises:
        PrefectFailed: the number was not stored.
    """
    try:
        with replace_not_found(_MarkerMissing("none yet")):
            await client.update_variable(name, number)
    except _MarkerMissing:
        await client.create_variable(name, number, [TAG])


async def read_marker(client: PrefectClient, name: str) -> int:
    """Read the number of writes that the database has, 0 for none.

    Raises:
        PrefectFailed: the API did not answer.
    """
    try:
        with replace_not_found(_MarkerMissing("none yet")):
            found = await client.read_variable(name)
    except _MarkerMissing:
        return 0
    return found.value if isinstance(found.value, int) else 0


async def remove_marker(client: PrefectClient, name: str) -> None:
    """Remove the marker, if it exists.

    Raises:
        PrefectFailed: the API did not answer.
    """
    with contextlib.suppress(_MarkerMissing), replace_not_found(_MarkerMissing("already removed")):
        await client.delete_variable(name)
