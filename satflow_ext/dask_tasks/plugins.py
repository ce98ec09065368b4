"""Plugins that a flow run registers on a Dask cluster. Both are pickled by value, so every worker that joins can load them.

A worker that joins a cluster loads every plugin first and does not start if that fails. This module therefore imports only
packages that each Dask worker has, and is pickled together with its code.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from distributed import SchedulerPlugin, WorkerPlugin


class SharedContext(WorkerPlugin):
    """Shared data of a flow run's tasks on every Dask worker, including workers that join later.

    Args:
        name: name by which tasks find the context.
        data: Prefect's context, pickled. The first task that needs it unpickles it, in its own thread.
        files: data files, by path relative to the folder in which tasks run.
        modules: sources of modules, by path relative to an import path.
    """

    def __init__(self, name: str, data: bytes, files: dict[str, bytes], modules: dict[str, bytes]) -> None:
        self.name = name
        self.data = data
        self.files = files
        self.modules = modules
        self.folder: str | None = None
        self.worker_context: Any = None
        self.close_worker_context: Callable[[Callable[[], None]], None] | None = None

    async def setup(self, worker: Any) -> None:
        """Write the files and modules to the worker's disk."""
        if self.files or self.modules:
            await asyncio.get_running_loop().run_in_executor(None, self._write_files, worker.local_directory)

    async def teardown(self, worker: Any) -> None:
        """Remove everything that belongs to the flow run."""
        await asyncio.get_running_loop().run_in_executor(None, self._close_and_remove)

    def _write_files(self, directory: str) -> None:
        self._refuse_other_versions()
        self.folder = tempfile.mkdtemp(prefix="satflow-", dir=directory)
        for kind, contents in (("files", self.files), ("modules", self.modules)):
            for place, content in contents.items():
                path = os.path.join(self.folder, kind, place)
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                with open(path, "wb") as file:
                    file.write(content)
        if self.modules:
            sys.path.append(os.path.join(self.folder, "modules"))
        self.files, self.modules = dict.fromkeys(self.files, b""), dict.fromkeys(self.modules, b"")

    def _refuse_other_versions(self) -> None:
        """Refuse a second version of a module. A process has one module per name, so one run would run the other's code."""
        for place, content in self.modules.items():
            name = place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            source = getattr(sys.modules.get(name), "__file__", None)
            if source and f"{os.sep}satflow-" in source and os.path.exists(source):
                with open(source, "rb") as file:
                    if file.read() != content:
                        raise RuntimeError(
                            f"Another run on this Dask worker has a different version of the module {name}."
                        )

    def _close_and_remove(self) -> None:
        if self.close_worker_context is None:
            self._remove_files()
        else:
            self.close_worker_context(self._remove_files)

    def _remove_files(self) -> None:
        if self.folder is None:
            return
        modules = os.path.join(self.folder, "modules")
        sys.path[:] = [each for each in sys.path if each != modules]
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(modules):
                del sys.modules[name]
        shutil.rmtree(self.folder, ignore_errors=True)


class ClientCleanup(SchedulerPlugin):
    """Unregisters the plugins of a Dask client when it disconnects, even if it was killed.

    Args:
        client: the client's id, with which the names of its worker plugins begin.
    """

    idempotent = True

    def __init__(self, client: str) -> None:
        self.client = client
        self.name = f"satflow-{client}"

    def remove_client(self, scheduler: Any, client: str) -> None:
        """Unregister the plugins. Distributed calls this when a client disconnects."""
        if client == self.client:
            for name in [each for each in scheduler.worker_plugins if each.startswith(f"{self.name}-")]:
                scheduler.loop.add_callback(scheduler.unregister_worker_plugin, None, name)
            scheduler.loop.add_callback(scheduler.remove_plugin, self.name)
