"""Turns: on this machine one registration of a deployment at a time, whether sidebar, notebook or command line makes it.

Prefect's upsert takes whatever comes last, so two at once would give two contents the same version. The lock is the kernel's: it
ends with its holder, however that ends. Registrations from other machines are found out by reading back.
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
from satflow_ext.lease.address import private_folder
from satflow_ext.settings import Settings

PATIENCE = 120.0
"""Seconds to wait for another registration: the upload of a large content takes long."""

LOOK = 0.05


@asynccontextmanager
async def turn(full_name: str, prefect_api: PrefectApi, settings: Settings) -> AsyncIterator[None]:
    """Wait until nobody else on this machine registers that deployment, and let nobody while the block runs.

    Args:
        full_name: `flow/deployment`.
        prefect_api: where it is registered; another API's deployment of that name is another one.
        settings: say where the runtime folder is.

    Raises:
        DeploymentContested: somebody else has been at it for longer than `PATIENCE`.
        StackFailed: the runtime folder is somebody else's, or cannot be made.
        DiskFailed: the runtime folder takes no locks.
    """
    folder = private_folder(settings.runtime_dir / "turns")
    name = hashlib.sha256(f"{prefect_api.url} {full_name}".encode()).hexdigest()[:32]
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        with _attempted(folder / name) as mine:
            if mine:
                yield
                return
        await asyncio.sleep(LOOK)
    raise DeploymentContested(
        f"Another registration of {full_name} on this machine has not ended after {PATIENCE:g} s.",
        fix="Look what it made, and register again.",
    )


@contextmanager
def _attempted(path: Path) -> Iterator[bool]:
    with ExitStack() as held:
        try:
            mine = held.enter_context(file_lock.attempted(path))
        except OSError as error:  # such as ENOLCK, on a network's file system
            raise _no_lock(path, error) from None
        yield mine


def _no_lock(path: Path, error: OSError) -> DiskFailed:
    return DiskFailed(
        f"{path} cannot be locked: {error.strerror}. Nothing was changed.",
        fix="Make room there, or set SATFLOW_RUNTIME_DIR to a folder on a local disk.",
    )
