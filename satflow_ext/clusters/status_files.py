"""Status files: the status of the Dask clusters of this machine, one private file per cluster.

A file is named after the flow run that owns the cluster, or after the deployment whose cluster exists between runs as well. The
process that watches a cluster replaces its file every second and removes it at the end; readers remove files that a killed
process has left. The last minutes of each cluster are in a second file (`sample_history.py`). Addresses of schedulers are never
written to these files, and nothing of them is sent to the Prefect API.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext import process_identity
from satflow_ext.clusters.sample_history import SampleHistory
from satflow_ext.models import ClusterMoment, ClusterStatus
from satflow_ext.settings import Settings

ID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class StatusFile(BaseModel):
    """The content of one status file: the writer's process id and identity, and the status.

    `status` is None if the deployment has no cluster now.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    identity: str
    status: ClusterStatus | None

    def is_writer_alive(self) -> bool:
        """Return whether the process that wrote this file still runs, and not another process with the same id."""
        return process_identity.is_alive(self.pid, self.identity)


class StatusFiles:
    """The status files of one user on this machine.

    Args:
        settings: contain the runtime folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.runtime_dir / "clusters"
        self._history = SampleHistory(self._folder)

    def write_status(self, status: ClusterStatus) -> None:
        """Write the status file of a cluster."""
        key = cluster_key(status)
        self._make_folder()
        self._history.add_status(key, status)
        self._write_file(key, status)

    def write_absent(self, deployment_id: str) -> None:
        """Record that a deployment has no cluster now."""
        self._make_folder()
        self._history.remove_history(deployment_id)
        self._write_file(deployment_id, None)

    def remove_status(self, key: str) -> None:
        """Remove the status file and the history of the cluster of a run or of a deployment."""
        self._path(key).unlink(missing_ok=True)
        self._history.remove_history(key)

    def has_status(self, key: str) -> bool:
        """Return whether there is a status file for this run or deployment, even one that records no cluster."""
        return self._read_file(key) is not None

    def read_status(self, key: str) -> ClusterStatus | None:
        """Read the status of the cluster of a run or of a deployment, or return None if there is none."""
        notice = self._read_file(key) if ID_PATTERN.fullmatch(key) else None
        return notice.status if notice else None

    def read_statuses(self) -> tuple[tuple[ClusterStatus, ...], tuple[str, ...]]:
        """Read all statuses, newest cluster first, and the ids of deployments recorded as having no cluster."""
        notices = self._read_files()
        found = sorted((each.status for each in notices.values() if each.status), key=_start_time, reverse=True)
        return tuple(found), tuple(sorted(key for key, each in notices.items() if each.status is None))

    def read_history(self, key: str) -> tuple[ClusterMoment, ...]:
        """Read the history of the cluster of a run or of a deployment for the last minutes."""
        return self._history.read_moments(key) if ID_PATTERN.fullmatch(key) else ()

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _write_file(self, key: str, status: ClusterStatus | None) -> None:
        identity = process_identity.read_identity(os.getpid()) or ""
        notice = StatusFile(pid=os.getpid(), identity=identity, status=status)
        path = self._path(key)
        draft = path.with_suffix(f".{os.getpid()}")  # several processes may write the file of a deployment
        draft.touch(mode=0o600)
        draft.write_text(notice.model_dump_json())
        draft.replace(path)

    def _read_files(self) -> dict[str, StatusFile]:
        keys = [path.stem for path in self._folder.glob("*.json")]
        return {key: notice for key in keys if (notice := self._read_file(key)) is not None}

    def _read_file(self, key: str) -> StatusFile | None:
        try:
            notice = StatusFile.model_validate_json(self._path(key).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        if notice.is_writer_alive():
            return notice
        self.remove_status(key)
        return None


def cluster_key(status: ClusterStatus) -> str:
    """Return the id of a cluster: its run, or the deployment of a persistent cluster."""
    return status.run_id or status.deployment_id or ""


def _start_time(status: ClusterStatus) -> datetime:
    return status.started
