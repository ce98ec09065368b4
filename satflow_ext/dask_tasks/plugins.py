"""What is put up on a Dask cluster for the time of a flow run. Both travel by value: whoever joins can read them.

A worker that joins a cluster reads every plugin before it starts, and does not start where it cannot. So this module imports
only what each Dask worker has, and is pickled with its code.
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
    """What the tasks of a flow run share, on every Dask worker, also on those that join later.

    Args:
        name: what tasks ask for.
        data: Prefect's context, pickled. The first task that needs it reads it, in its own thread.
        files: data files, by their place below the folder in which tasks run.
        modules: sources of modules, by their place below an import path.
    """

    def __init__(self, name: str, data: bytes, files: dict[str, bytes], modules: dict[str, bytes]) -> None:
        self.name = name
        self.data = data
        self.files = files
        self.modules = modules
        self.folder: str | None = None
        self.made: Any = None
        self.close: Callable[[Callable[[], None]], None] | None = None

    async def setup(self, worker: Any) -> None:
        """Lay out what is not on the worker's disk yet."""
        if self.files or self.modules:
            await asyncio.get_running_loop().run_in_executor(None, self._lay_out, worker.local_directory)

    async def teardown(self, worker: Any) -> None:
        """Leave nothing of the flow run behind."""
        await asyncio.get_running_loop().run_in_executor(None, self._clear)

    def _lay_out(self, directory: str) -> None:
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
        """A process has one module of a name: of two runs with two versions of it, one would run the other's code."""
        for place, content in self.modules.items():
            name = place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            source = getattr(sys.modules.get(name), "__file__", None)
            if source and f"{os.sep}satflow-" in source and os.path.exists(source):
                with open(source, "rb") as file:
                    if file.read() != content:
                        raise RuntimeError(f"Another run on this Dask worker has another version of the module {name}.")

    def _clear(self) -> None:
        if self.close is None:
            self._take_away()
        else:
            self.close(self._take_away)

    def _take_away(self) -> None:
        if self.folder is None:
            return
        modules = os.path.join(self.folder, "modules")
        sys.path[:] = [each for each in sys.path if each != modules]
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(modules):
                del sys.modules[name]
        shutil.rmtree(self.folder, ignore_errors=True)


class GoesWithClient(SchedulerPlugin):
    """Takes away what a dask client has put up when that client goes, also when it was killed.

    Args:
        client: the client's id, with which the names of its worker plugins begin.
    """

    idempotent = True

    def __init__(self, client: str) -> None:
        self.client = client
        self.name = f"satflow-{client}"

    def remove_client(self, scheduler: Any, client: str) -> None:
        """Distributed calls this when a client has gone."""
        if client == self.client:
            for name in [each for each in scheduler.worker_plugins if each.startswith(f"{self.name}-")]:
                scheduler.loop.add_callback(scheduler.unregister_worker_plugin, None, name)
            scheduler.loop.add_callback(scheduler.remove_plugin, self.name)
