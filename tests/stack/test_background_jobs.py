"""What the stack does by itself: it heals what its database has lost, collects contents, and checks for overdue deployments."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from prefect import flow

from satflow_ext import endpoints, lease
from satflow_ext.commands.store_collect import DAY
from satflow_ext.deployments import queries
from satflow_ext.kernel.pack import pack_flow
from satflow_ext.models import Notification, Registration
from satflow_ext.registration import register
from satflow_ext.settings import GIB
from satflow_ext.stack import background_jobs
from satflow_ext.store.contents import Contents
from tests.eventually import eventually
from tests.notification_receiver import make_block
from tests.stack.place import Place


@flow
def kept():
    return 1


def test_what_a_power_cut_took_from_the_database_is_there_after_the_next_start(whole: Place, tmp_path: Path) -> None:
    database = whole.settings.state_dir / "prefect" / "prefect.db"
    with lease.acquire_lease(whole.settings) as held:
        where = endpoints.resolve_endpoints(whole.settings, held.record)
        block = asyncio.run(make_block(where.prefect, "http://127.0.0.1:1/"))
        chosen = Registration(notify=(Notification(on="overdue", block=block, hours=24),))
        copy(database, tmp_path / "before.db")
        with tempfile.TemporaryDirectory() as folder:
            packed = pack_flow(kept, Path(folder), namespace={"kept": kept}, parameter_values={}, limit=GIB)
            asyncio.run(register(packed, chosen, where, whole.settings))
    lease.stop_stack(whole.settings)
    whole.wait_gone()

    for left in database.parent.glob("prefect.db*"):
        left.unlink()
    (tmp_path / "before.db").rename(database)
    with lease.acquire_lease(whole.settings) as held:
        where = endpoints.resolve_endpoints(whole.settings, held.record)
        eventually(
            lambda: asyncio.run(queries.list_deployments(where)), "the deployment to be there again", seconds=240
        )
        (healed,) = asyncio.run(queries.list_deployments(where))
        collects_what_nobody_refers_to(whole)
        overdue = whole.settings.state_dir / "overdue.json"
        asyncio.run(do_chores_until(lambda: overdue.exists() and healed.id in overdue.read_text(), whole))
    assert (healed.flow_name, healed.version, healed.manifest_problem, healed.drift) == ("kept", 1, None, ())
    assert "had lost version 1 of kept/kept" in log_of(whole, "healing")


def collects_what_nobody_refers_to(whole: Place) -> None:
    """Once a day: it finds it on the first and removes it a month later."""
    contents = Contents(whole.settings.state_dir / "store", limit=GIB)
    in_use = {each.digest for each in contents.list_contents()}
    stray = f"sha256:{hashlib.sha256(b'stray').hexdigest()}"
    with contents.receive_content(stray) as incoming:
        incoming.write(b"stray")
        incoming.commit_content()
    marks = contents.root / "unreferenced.json"
    asyncio.run(do_chores_until(marks.exists, whole))
    assert list(json.loads(marks.read_text())) == [stray]

    long_ago = time.time() - 31 * DAY
    marks.write_text(json.dumps({stray: long_ago}))
    for file in (marks, contents.content_path(stray)):
        os.utime(file, (long_ago, long_ago))
    said = "1 contents (0.0 KiB), unused for 30 days, were removed"
    asyncio.run(do_chores_until(lambda: said in log_of(whole, "collecting"), whole))
    assert {each.digest for each in contents.list_contents()} == in_use


async def do_chores_until(done: Callable[[], bool], whole: Place) -> None:
    doing = asyncio.create_task(background_jobs.run_background_jobs(whole.settings, delay=0, pause=0.1))
    await asyncio.to_thread(eventually, done, "the chore to be done", seconds=240)
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)


def log_of(whole: Place, chore: str) -> str:
    return (whole.settings.state_dir / "logs" / f"{chore}.log").read_text()


def copy(database: Path, to: Path) -> None:
    """The database as it is now, whole, while its server runs."""
    with sqlite3.connect(database) as running, sqlite3.connect(to) as copied:
        running.backup(copied)
    running.close()
    copied.close()
