"""The board: what flow runs on this machine say of their Dask clusters.

A folder with one private file per flow run. The run writes its file anew every second and takes it away at the end; a reader
takes away what a killed run left behind. Cluster addresses never stand on it, and nothing of it goes to the Prefect API.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext.models import ClusterStatus
from satflow_ext.settings import Settings

RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Notice(BaseModel):
    """One file on the board: who wrote it, as process id and start time (seconds since the epoch), and what it says."""

    model_config = ConfigDict(frozen=True)

    pid: int
    born: float
    status: ClusterStatus

    def writer_lives(self) -> bool:
        """Whether the process that wrote this still runs, and is not another one with the same number."""
        try:
            return abs(psutil.Process(self.pid).create_time() - self.born) < 1
        except psutil.NoSuchProcess:
            return False


class Board:
    """The board of one user on this machine.

    Args:
        settings: say where the runtime folder is.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.runtime_dir / "clusters"

    def post(self, status: ClusterStatus) -> None:
        """Put a status up, in the place of the run's earlier one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        notice = Notice(pid=os.getpid(), born=psutil.Process().create_time(), status=status)
        draft = self._path(status.run_id).with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(notice.model_dump_json())
        draft.replace(self._path(status.run_id))

    def remove(self, run_id: str) -> None:
        """Take a run's status down."""
        self._path(run_id).unlink(missing_ok=True)

    def read(self, run_id: str) -> ClusterStatus | None:
        """The status of one run's cluster, None when it has none."""
        return self._read(self._path(run_id)) if RUN_ID.fullmatch(run_id) else None

    def read_all(self) -> tuple[ClusterStatus, ...]:
        """Every status there is, newest cluster first."""
        read = (self._read(path) for path in self._folder.glob("*.json"))
        return tuple(sorted((status for status in read if status), key=lambda s: s.started, reverse=True))

    def _path(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.json"

    def _read(self, path: Path) -> ClusterStatus | None:
        try:
            notice = Notice.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        if notice.writer_lives():
            return notice.status
        path.unlink(missing_ok=True)
        return None
