"""A stack whose database has lost its last commits is healed by its next start."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from prefect import flow

from satflow_ext import endpoints, lease
from satflow_ext.kernel.pack import pack
from satflow_ext.models import Registration
from satflow_ext.registration import deployments, register
from satflow_ext.settings import GIB
from tests.stack.conftest import Place, wait_for


@flow
def kept():
    return 1


def test_what_a_power_cut_took_from_the_database_is_there_after_the_next_start(whole: Place, tmp_path: Path) -> None:
    database = whole.settings.state_dir / "prefect" / "prefect.db"
    with lease.acquire(whole.settings) as held:
        copy(database, tmp_path / "before.db")
        where = endpoints.resolve(whole.settings, held.record)
        with tempfile.TemporaryDirectory() as folder:
            packed = pack(kept, Path(folder), namespace={"kept": kept}, given={}, limit=GIB)
            asyncio.run(register(packed, Registration(), where, whole.settings))
    lease.stop(whole.settings)
    whole.wait_gone()

    for left in database.parent.glob("prefect.db*"):
        left.unlink()
    (tmp_path / "before.db").rename(database)
    with lease.acquire(whole.settings) as held:
        where = endpoints.resolve(whole.settings, held.record)
        wait_for(lambda: asyncio.run(deployments.list_all(where)), "the deployment to be there again", seconds=60)
        (healed,) = asyncio.run(deployments.list_all(where))
    assert (healed.flow_name, healed.version, healed.manifest_problem, healed.drift) == ("kept", 1, None, ())
    assert "had lost version 1 of kept/kept" in (whole.settings.state_dir / "logs" / "healing.log").read_text()


def copy(database: Path, to: Path) -> None:
    """The database as it is now, whole, while its server runs."""
    with sqlite3.connect(database) as running, sqlite3.connect(to) as copied:
        running.backup(copied)
    running.close()
    copied.close()
