"""The board: what is said on this machine of Dask clusters.

A folder with one private file per cluster: by the id of the flow run whose it is, or of the deployment that has it also between
runs. Who says something writes its file anew every second and takes it away at the end; a reader takes away what a killed one
left behind. Addresses of schedulers never stand on it, and nothing of it goes to the Prefect API.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext.models import ClusterStatus
from satflow_ext.settings import Settings

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
        """Put a status up, in the place of the cluster's earlier one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        notice = Notice(pid=os.getpid(), born=psutil.Process().create_time(), status=status)
        path = self._path(status.run_id or status.deployment_id or "")
        draft = path.with_suffix(f".{os.getpid()}")  # several may tell of a deployment's
        draft.touch(mode=0o600)
        draft.write_text(notice.model_dump_json())
        draft.replace(path)

    def remove(self, key: str) -> None:
        """Take down the status of a run's cluster, or of a deployment's."""
        self._path(key).unlink(missing_ok=True)

    def read(self, key: str) -> ClusterStatus | None:
        """The status of the cluster of a run or of a deployment, None when there is none."""
        return self._read(self._path(key)) if ID.fullmatch(key) else None

    def read_all(self) -> tuple[ClusterStatus, ...]:
        """Every status there is, newest cluster first."""
        read = (self._read(path) for path in self._folder.glob("*.json"))
        return tuple(sorted((status for status in read if status), key=lambda s: s.started, reverse=True))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _read(self, path: Path) -> ClusterStatus | None:
        try:
            notice = Notice.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        if notice.writer_lives():
            return notice.status
        path.unlink(missing_ok=True)
        return None
