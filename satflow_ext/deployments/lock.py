"""Deployment locks: one registration of a deployment at a time on this machine, from sidebar, notebook or command line.

Prefect's upsert keeps the last write, so two concurrent registrations would give two contents the same version. The operating
system holds the lock and releases it when the holder ends, for any reason. Registrations from other machines are detected by
reading the row back.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic

from satflow_ext import file_lock
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import DeploymentContested, DiskFailed
from satflow_ext.lease.address import make_private_folder
from satflow_ext.settings import Settings

MAX_WAIT = 120.0
"""Seconds to wait for another registration: the upload of a large content takes a long time."""

POLL_INTERVAL = 0.05


@asynccontextmanager
async def hold_deployment_lock(full_name: str, prefect_api: PrefectApi, settings: Settings) -> AsyncIterator[None]:
    """Wait until no other process on this machine registers the deployment, and hold its lock while the block runs.

    Args:
        full_name: `flow/deployment`.
        prefect_api: the API where it is registered; the same name in another API is another deployment.
        settings: define the runtime folder.

    Raises:
        DeploymentContested: another process has held the lock for longer than `MAX_WAIT`.
        StackFailed: the runtime folder belongs to another user, or cannot be created.
        DiskFailed: the runtime folder does not support locks.
    """
    folder = make_private_folder(settings.runtime_dir / "turns")
    name = hashlib.sha256(f"{prefect_api.url} {full_name}".encode()).hexdigest()[:32]
    deadline = monotonic() + MAX_WAIT
    while monotonic() < deadline:
        with _try_lock(folder / name) as mine:
            if mine:
                yield
                return
        await asyncio.sleep(POLL_INTERVAL)
    raise DeploymentContested(
        f"Another registration of {full_name} on this machine has not ended after {MAX_WAIT:g} s.",
        fix="Check the version that it registers, and register again.",
    )


@contextmanager
def _try_lock(path: Path) -> Iterator[bool]:
    with ExitStack() as held:
        try:
            mine = held.enter_context(file_lock.try_lock_file(path))
        except OSError as error:  # such as ENOLCK on a network file system
            raise _lock_error(path, error) from None
        yield mine


def _lock_error(path: Path, error: OSError) -> DiskFailed:
    return DiskFailed(
        f"{path} cannot be locked: {error.strerror}. Nothing was changed.",
        fix="Make room there, or set SATFLOW_RUNTIME_DIR to a folder on a local disk.",
    )
