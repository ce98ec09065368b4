"""Stacks of the tests' own, apart from the one that all other tests share."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from satflow_ext import lease
from satflow_ext.lease.start import STACK_MARK
from satflow_ext.settings import Settings
from tests.eventually import eventually
from tests.satflow_command import satflow

HOLD = """
import sys
from satflow_ext import lease
from satflow_ext.settings import load_settings
held = lease.acquire_lease(load_settings())
print(held.record.pid, flush=True)
sys.stdin.read()
"""


@dataclass
class Place:
    """Where a stack of one test lives, and how to look at its processes."""

    settings: Settings
    holders: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        folders = {
            "SATFLOW_STATE_DIR": str(self.settings.state_dir),
            "SATFLOW_RUNTIME_DIR": str(self.settings.runtime_dir),
        }
        api = {"SATFLOW_PREFECT_API_URL": self.settings.prefect_api_url} if self.settings.prefect_api_url else {}
        return {**os.environ, **folders, **api}

    def processes(self) -> list[psutil.Process]:
        """Supervisor and services: whatever has this stack's folder in its environment."""
        return [each for each in psutil.process_iter() if self._belongs(each)]

    def satflow(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call the command line in the place's environment."""
        return satflow(*words, env=self.environment)

    def start_holder(self) -> subprocess.Popen[str]:
        """A process that takes a lease, says the supervisor's pid and holds on until its input ends."""
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.holders.append(holder)
        return holder

    def wait_gone(self) -> None:
        """Wait five seconds for every process of the stack to end."""
        eventually(lambda: not self.processes(), "every process of the stack to end", seconds=5)

    def close(self) -> None:
        for holder in self.holders:
            holder.kill()
            holder.communicate()
        lease.stop_stack(self.settings)
        self.wait_gone()

    def _belongs(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            environment = process.environ()
            marked = environment.get(STACK_MARK) == str(self.settings.runtime_dir.resolve())
            supervisor = "satflow_ext.stack" in process.cmdline() and environment.get("SATFLOW_RUNTIME_DIR") == str(
                self.settings.runtime_dir
            )
            return process.status() != psutil.STATUS_ZOMBIE and (marked or supervisor)
        return False


@contextlib.contextmanager
def placed(house: Path, *, prefect_api_url: str | None) -> Iterator[Place]:
    """A place for a stack, with folders of its own, until the block is left."""
    folder = Path(tempfile.mkdtemp(dir=house))
    place = Place(Settings(state_dir=folder / "state", runtime_dir=folder / "run", prefect_api_url=prefect_api_url))
    try:
        yield place
    finally:
        place.close()
