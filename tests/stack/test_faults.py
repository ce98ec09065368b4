"""Full disks and unusable databases of the local stack are reported by name, with the way out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from unittest.mock import Mock

import pytest

from satflow_ext import lease
from satflow_ext.disk_room import check_free_space
from satflow_ext.errors import DiskFailed, DiskFull, StackFailed
from satflow_ext.lease.address import make_private_folder
from satflow_ext.stack import prefect_database, service_environment, services, stack_processes
from satflow_ext.stack.prefect_database import check_database
from satflow_ext.stack.stack_lock import take_stack_lock
from tests.local_stack import Stack
from tests.stack.place import Place

NOON = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)


@pytest.fixture
def small_disk(light: Place) -> Iterator[Path]:
    """The state folder on a disk of its own, of 24 MiB."""
    folder = light.settings.state_dir
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "satflow-test", folder], check=True)
    yield folder
    lease.stop_stack(light.settings)
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    """Leave no byte on a disk."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass


def test_only_a_disk_without_room_is_full(small_disk: Path, tmp_path: Path) -> None:
    check_free_space([small_disk, tmp_path, tmp_path / "missing"])
    fill(small_disk)
    with pytest.raises(DiskFull, match=rf"no room left on the disk of {small_disk} .*No space left"):
        check_free_space([tmp_path, small_disk])


def test_a_stack_on_a_full_disk_does_not_start_and_names_it(light: Place, small_disk: Path) -> None:
    (small_disk / "logs").mkdir(mode=0o700)
    fill(small_disk)
    up = light.satflow("up")
    assert up.returncode == 1
    assert f"no room left on the disk of {small_disk}" in up.stderr
    assert "SATFLOW_STATE_DIR" in up.stderr
    light.wait_gone()


def test_a_running_stack_reports_a_disk_that_became_full(light: Place, small_disk: Path) -> None:
    with lease.acquire_lease(light.settings):
        fill(small_disk)
        report = lease.read_report(light.settings)
        assert report is not None
        assert report.state == "failed"
        assert f"no room left on the disk of {small_disk}" in str(report.step)
        with lease.acquire_lease(light.settings):  # who only asks for what runs already is not refused
            pass
        (small_disk / "ballast").unlink()
        report = lease.read_report(light.settings)
        assert report is not None
        assert report.state == "ready"


def test_a_disk_that_fills_up_during_a_start_is_named(
    light: Place, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a service fails by that, or tries again and again."""
    monkeypatch.setattr(services, "DISK_CHECK_PAUSE", 0.2)
    for folder in (light.settings.runtime_dir, small_disk / "logs"):
        make_private_folder(folder)
    mark = service_environment.stack_mark(light.settings)

    async def starts() -> None:
        crew = services.StackServices(light.settings, lambda _: None)
        starting = asyncio.create_task(crew.start_services(["prefect"]))
        while not stack_processes.list_processes(mark):  # noqa: ASYNC110 - the process tells nobody
            await asyncio.sleep(0.01)
        fill(small_disk)
        with pytest.raises(DiskFull, match=f"no room left on the disk of {small_disk}"):
            await starting
        assert stack_processes.list_processes(mark) == []
        await crew.end_services()

    asyncio.run(starts())


def make_database(path: Path, revision: str) -> None:
    """A database as large as a few pages, at a migration."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.execute("CREATE TABLE flow (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
        database.executemany("INSERT INTO flow (name) VALUES (?)", [(f"{i:0100d}",) for i in range(500)])
    database.close()


def overwritten(path: Path) -> None:
    make_database(path, "anything")
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)


def torn(path: Path) -> None:
    make_database(path, "anything")
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(30000))


def truncated(path: Path) -> None:
    make_database(path, "anything")
    os.truncate(path, path.stat().st_size // 2)


def newer(path: Path) -> None:
    make_database(path, "ffffffffffff")


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (overwritten, "is damaged: file is not a database"),
        (torn, "is damaged: "),
        (truncated, "is damaged: "),
        (newer, r"was written by a newer Prefect than \d"),
        (a_folder, "cannot be used: unable to open"),
    ],
)
def test_a_database_that_prefect_cannot_use_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "prefect.db"
    spoil(path)
    with pytest.raises(StackFailed, match=message) as refused:
        check_database(path)
    assert str(path) in refused.value.message
    assert "Traceback" not in str(refused.value)
    assert "satflow up --new-database" in (refused.value.fix or "")


def test_databases_that_prefect_can_use_are_not_refused(tmp_path: Path) -> None:
    check_database(tmp_path / "missing.db")
    (tmp_path / "empty.db").touch()
    check_database(tmp_path / "empty.db")
    with sqlite3.connect(tmp_path / "begun.db") as begun:  # by a server that was killed before its first migration
        begun.execute("CREATE TABLE other (id INTEGER)")
    begun.close()
    check_database(tmp_path / "begun.db")


def test_a_check_that_takes_too_long_is_cut_off_and_the_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself cannot be interrupted in it before 3.41."""
    path = tmp_path / "prefect.db"
    make_database(path, min(prefect_database.known_revisions()))
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(30000))
    with pytest.raises(StackFailed, match="is damaged"):
        check_database(path)
    monkeypatch.setattr(prefect_database, "CHECK_SECONDS", 1e-6)
    check_database(path)


def test_a_database_in_use_is_not_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "prefect.db"
    make_database(path, min(prefect_database.known_revisions()))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StackFailed, match="cannot be used: database is locked") as refused:
            check_database(path)
    assert "Close the program that uses it" in (refused.value.fix or "")
    assert "--new-database" not in (refused.value.fix or "")


def test_a_database_is_moved_aside_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "prefect.db"
    files = [path, path.with_name("prefect.db-shm"), path.with_name("prefect.db-wal")]
    for file in files:
        file.write_text(file.name)
    stamped = NOON.strftime("%Y%m%dT%H%M%SZ")
    monkeypatch.setattr(prefect_database, "datetime", Mock(now=lambda _: NOON))
    blocking = tmp_path / f"prefect.db.backup-{stamped}"
    blocking.mkdir()
    with pytest.raises(DiskFailed, match=r"prefect\.db cannot be renamed to prefect\.db\.backup-.*: Is a directory"):
        prefect_database.back_up_database(path)
    assert [file.read_text() for file in files] == [file.name for file in files]
    blocking.rmdir()
    assert prefect_database.back_up_database(path) == blocking
    assert not any(file.exists() for file in files)
    assert blocking.with_name(f"{blocking.name}-wal").read_text() == "prefect.db-wal"


def test_the_database_is_not_moved_while_another_process_has_the_stacks_lock(light: Place) -> None:
    lock = take_stack_lock(light.settings)
    assert lock is not None
    with lock:
        refused = light.satflow("up", "--new-database")
    assert refused.returncode == 1
    assert "The local stack is running" in refused.stderr


def test_a_database_elsewhere_is_not_moved(light: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATFLOW_DATABASE_URL", "postgresql+asyncpg://db.example/prefect")
    refused = light.satflow("up", "--new-database")
    assert refused.returncode == 1
    assert "SATFLOW_DATABASE_URL names" in refused.stderr


def test_the_database_of_the_installed_prefect_is_known(stack: Stack) -> None:
    check_database(service_environment.prefect_home(stack.settings) / service_environment.DATABASE_FILE)


def test_a_damaged_database_is_one_sentence_everywhere_and_a_new_one_is_the_way_out(whole: Place) -> None:
    home = service_environment.prefect_home(whole.settings)
    home.mkdir(mode=0o700, parents=True)
    whole.settings.state_dir.chmod(0o700)
    database = home / service_environment.DATABASE_FILE
    overwritten(database)
    spoiled = database.read_bytes()
    up = whole.satflow("up")
    assert up.returncode == 1
    assert "… Checking the Prefect server's database" in up.stderr
    assert f"{database} is damaged: file is not a database." in up.stderr
    assert "Traceback" not in up.stderr
    whole.wait_gone()
    doctor = whole.satflow("doctor")
    assert f"{database} is damaged" in doctor.stdout
    assert "→ `satflow up --new-database`" in doctor.stdout
    whole.wait_gone()
    assert database.read_bytes() == spoiled
    up = whole.satflow("up", "--new-database")
    assert up.returncode == 0, up.stderr
    (backup,) = home.glob("prefect.db.backup-*")
    assert backup.read_bytes() == spoiled
    assert str(backup) in up.stdout
    refused = whole.satflow("up", "--new-database")
    assert refused.returncode == 1
    assert "satflow down" in refused.stderr
    assert json.loads(whole.satflow("status", "--json").stdout)["state"] == "ready"
