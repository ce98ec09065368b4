"""The template of new Prefect databases: what is in it, and when it is not used."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from satflow_ext.settings import Settings
from satflow_ext.stack import database_template
from satflow_ext.stack.database_template import PrefectPackages, begin_database
from satflow_ext.stack.prefect_database import check_database
from tests.local_stack import Stack


@pytest.fixture
def cached(stack: Stack, tmp_path: Path) -> tuple[Settings, Path]:
    """Settings whose cache folder has a copy of the template that the tests' stack has saved or used, and its path."""
    saved = PrefectPackages.installed().template_path(stack.settings)
    settings = stack.settings.model_copy(update={"cache_dir": tmp_path / "cache"})
    template = PrefectPackages.installed().template_path(settings)
    template.parent.mkdir(parents=True)
    shutil.copy(saved, template)
    return settings, template


def execute(database: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as opened, opened:
        opened.execute(statement)


def test_a_new_database_is_a_private_copy_with_nothing_recorded(cached: tuple[Settings, Path], tmp_path: Path) -> None:
    database = tmp_path / "prefect.db"
    assert begin_database(cached[0], database)
    check_database(database)
    assert database.stat().st_mode & 0o777 == 0o600
    assert cached[1].stat().st_mode & 0o777 == 0o600
    with contextlib.closing(sqlite3.connect(database)) as opened:
        for table in ("flow", "flow_run", "deployment", "work_pool", "configuration", "block_document"):
            assert opened.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert opened.execute("SELECT count(*) FROM block_type").fetchone() > (0,)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no database" * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:100_000]),
        lambda path: path.write_bytes(b""),
        lambda path: execute(path, "PRAGMA user_version = 7"),
        lambda path: execute(path, "INSERT INTO configuration (key, value) VALUES ('ENCRYPTION_KEY', '{}')"),
        lambda path: execute(path, "DROP TABLE block_type"),
        lambda path: execute(path, "UPDATE alembic_version SET version_num = 'ffffffffffff'"),
    ],
    ids=["garbage", "cut off", "empty", "other packages", "a key in it", "a table is missing", "newer"],
)
def test_an_unusable_template_is_removed_and_the_server_creates_the_database(
    cached: tuple[Settings, Path], tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    settings, template = cached
    spoil(template)
    assert not begin_database(settings, tmp_path / "prefect.db")
    assert not (tmp_path / "prefect.db").exists()
    assert not template.exists()


def test_without_a_template_the_server_creates_the_database(stack: Stack, tmp_path: Path) -> None:
    settings = stack.settings.model_copy(update={"cache_dir": tmp_path / "cache"})
    assert not begin_database(settings, tmp_path / "prefect.db")
    assert not (tmp_path / "prefect.db").exists()


def test_an_existing_database_is_prepared_again_after_an_upgrade(
    cached: tuple[Settings, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, _ = cached
    database = tmp_path / "prefect.db"
    assert begin_database(settings, database)
    assert begin_database(settings, database)
    monkeypatch.setattr(database_template.metadata, "version", lambda _: "99.0")
    assert not begin_database(settings, database)
