"""A process of a flow run in a fork of the template: what `multiprocessing` would start as a new interpreter (`spawn`)."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from multiprocessing import resource_tracker, spawn
from types import ModuleType
from typing import NoReturn

from satflow_ext.fork_requests import child_process
from satflow_ext.run_template.fork import ForkRequest


def execute_process(request: ForkRequest) -> NoReturn:
    """Become the process that is requested, which reads its `__main__`, import path, folder and function from a pipe.

    Raises:
        SystemExit: at the end of the process, with its exit code.
    """
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as name:
        name.write(child_process.PROCESS_NAME)
    data, tracker, *inherited = request.descriptors[3:]
    child_process.inherit_descriptors(inherited)
    resource_tracker._resource_tracker._fd = tracker  # type: ignore[attr-defined]  # as `spawn.spawn_main`
    sys.modules["__main__"] = ModuleType("__main__")
    importlib.invalidate_caches()
    sys.exit(spawn._main(data, os.dup(data)))  # the second is readable when the parent has ended
