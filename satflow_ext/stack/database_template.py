"""Prepare the Prefect server's SQLite database, and keep an empty prepared one as the template of new databases.

Prefect's migrations take seconds on a new database. The first one of a Prefect version is saved in the cache folder before
anything is recorded in it, and later ones begin as copies of that file. Without a usable template, the server prepares its
database itself.

A prepared database has all migrations and the blocks of the installed packages. SQLite's `user_version`, which Prefect does not
use, records for which versions of the packages: as long as they do not change, the server need not import them all when it
starts. This module imports Prefect only to prepare a database.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import sqlite3
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from satflow_ext import atomic_files
from satflow_ext.errors import StackFailed
from satflow_ext.lease.address import make_private_folder
from satflow_ext.settings import Settings
from satflow_ext.stack import prefect_database

BLOCK_TABLES = frozenset({"alembic_version", "block_type", "block_schema", "block_schema_reference"})
"""Tables with rows in a template; in particular it has no key of encrypted blocks, which is in `configuration`."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrefectPackages:
    """The packages that determine the content of an empty database: Prefect, and those that register blocks.

    Args:
        prefect: version of Prefect.
        digest: digest of Prefect's migrations and of the packages' versions.
    """

    prefect: str
    digest: bytes

    @classmethod
    def installed(cls) -> PrefectPackages:
        """Return the installed packages."""
        version = metadata.version("prefect")
        points = metadata.entry_points(group="prefect.collections")
        collections = {f"{point.dist.name} {point.dist.version}" for point in points if point.dist is not None}
        parts = (version, *sorted(prefect_database.known_revisions()), *sorted(collections))
        return cls(version, hashlib.sha256("\n".join(parts).encode()).digest())

    def template_path(self, settings: Settings) -> Path:
        """Return the path of the template in the cache folder."""
        return settings.cache_dir / "prefect-databases" / f"{self.prefect}-{self.digest.hex()[:16]}.db"

    @property
    def user_version(self) -> int:
        """Value of `user_version` of databases that are prepared for these packages."""
        return int.from_bytes(self.digest[:4], "big") >> 1 | 1


def begin_database(settings: Settings, path: Path) -> bool:
    """Create a missing database from the template. Return whether the database is prepared. Blocks.

    Args:
        settings: settings with the cache folder.
        path: path of the database.
    """
    packages = PrefectPackages.installed()
    if not path.exists():
        return _copy_template(packages, packages.template_path(settings), path)
    return _read_user_version(path) == packages.user_version


def prepare_database(path: Path, settings: Settings) -> None:
    """Prepare the database of this process's Prefect settings, unless it is; save a new one as the template. Blocks.

    Args:
        path: path of the database.
        settings: settings with the cache folder.
    """
    packages, is_new = PrefectPackages.installed(), not path.exists()
    if not is_new and _read_user_version(path) == packages.user_version:  # the server has been restarted
        return
    asyncio.run(_migrate_and_register_blocks())
    with contextlib.closing(sqlite3.connect(path, timeout=60.0)) as database:
        database.execute(f"PRAGMA user_version = {packages.user_version}")
    if is_new:
        try:
            _save_template(path, packages, packages.template_path(settings))
        except (OSError, StackFailed, sqlite3.Error, ValueError) as error:
            logger.warning("The template of Prefect's database was not saved: %s", error)


async def _migrate_and_register_blocks() -> None:
    """Do what Prefect's server does with its database when it starts."""
    from prefect.plugins import load_prefect_collections
    from prefect.server.database import provide_database_interface
    from prefect.server.models.block_registration import run_block_auto_registration

    database = provide_database_interface()
    await database.create_db()
    load_prefect_collections()
    async with await database.session() as session:
        await run_block_auto_registration(session=session)
    await (await database.engine()).dispose()


def _read_user_version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def _copy_template(packages: PrefectPackages, template: Path, path: Path) -> bool:
    """Create a database from the template, and return whether it could be used. An unusable template is removed."""
    if not template.is_file():
        return False
    try:
        make_private_folder(template.parent)
        prefect_database.check_database(template)
        _check_template(template, packages)
        atomic_files.write_atomically(path, template.read_bytes())
    except (OSError, StackFailed, sqlite3.Error, ValueError) as error:
        reason = error.message if isinstance(error, StackFailed) else error  # its fix is about the stack's database
        logger.warning("The template of Prefect's database cannot be used and is removed: %s", reason)
        with contextlib.suppress(OSError):
            template.unlink()
        return False
    return True


def _save_template(database: Path, packages: PrefectPackages, template: Path) -> None:
    make_private_folder(template.parent)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / template.name
        with (
            contextlib.closing(sqlite3.connect(database)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a write-ahead log
        _check_template(copy, packages)
        atomic_files.write_atomically(template, copy.read_bytes())


def _check_template(path: Path, packages: PrefectPackages) -> None:
    """Check that a database is prepared for these packages and has no rows besides Prefect's own.

    Raises:
        ValueError: it is not, or it has.
    """
    if _read_user_version(path) != packages.user_version:
        raise ValueError(f"{path} is not prepared for the installed packages")
    with contextlib.closing(sqlite3.connect(path)) as database:
        tables = {str(name) for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables >= BLOCK_TABLES:
            raise ValueError(f"{path} has no tables of Prefect")
        for table in sorted(tables - BLOCK_TABLES):
            if database.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone():  # noqa: S608 - a name from the schema
                raise ValueError(f"{path} has rows in {table}")
