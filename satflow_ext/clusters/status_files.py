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
from satflow_ext.clusters.sample_history import Past
from satflow_ext.models import ClusterMoment, ClusterStatus
from satflow_ext.settings import Settings

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Notice(BaseModel):
    """The content of one status file: the writer's process id and identity, and the status.

    `status` is None if the deployment has no cluster now.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    identity: str
    status: ClusterStatus | None

    def writer_lives(self) -> bool:
        """Return whether the process that wrote this file still runs, and not another process with the same id."""
        return process_identity.is_alive(self.pid, self.identity)


class Board:
    """The status files of one user on this machine.

    Args:
        settings: contain the runtime folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.runtime_dir / "clusters"
        self._past = Past(self._folder)

    def post(self, status: ClusterStatus) -> None:
        """Write the status file of a cluster."""
        key = key_of(status)
        self._make_room()
        self._past.add(key, status)
        self._put(key, status)

    def post_absent(self, deployment_id: str) -> None:
        """Record that a deployment has no cluster now."""
        self._make_room()
        self._past.remove(deployment_id)
        self._put(deployment_id, None)

    def remove(self, key: str) -> None:
        """Remove the status file and the history of the cluster of a run or of a deployment."""
        self._path(key).unlink(missing_ok=True)
        self._past.remove(key)

    def tells(self, key: str) -> bool:
        """Return whether there is a status file for this run or deployment, even one that records no cluster."""
        return self._read(key) is not None

    def read(self, key: str) -> ClusterStatus | None:
        """Read the status of the cluster of a run or of a deployment, or return None if there is none."""
        notice = self._read(key) if ID.fullmatch(key) else None
        return notice.status if notice else None

    def read_all(self) -> tuple[tuple[ClusterStatus, ...], tuple[str, ...]]:
        """Read all statuses, newest cluster first, and the ids of deployments recorded as having no cluster."""
        notices = self._notices()
        found = sorted((each.status for each in notices.values() if each.status), key=_started, reverse=True)
        return tuple(found), tuple(sorted(key for key, each in notices.items() if each.status is None))

    def past(self, key: str) -> tuple[ClusterMoment, ...]:
        """Read the history of the cluster of a run or of a deployment for the last minutes."""
        return self._past.read(key) if ID.fullmatch(key) else ()

    def _make_room(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _put(self, key: str, status: ClusterStatus | None) -> None:
        identity = process_identity.read_identity(os.getpid()) or ""
        notice = Notice(pid=os.getpid(), identity=identity, status=status)
        path = self._path(key)
        draft = path.with_suffix(f".{os.getpid()}")  # several processes may write the file of a deployment
        draft.touch(mode=0o600)
        draft.write_text(notice.model_dump_json())
        draft.replace(path)

    def _notices(self) -> dict[str, Notice]:
        keys = [path.stem for path in self._folder.glob("*.json")]
        return {key: notice for key in keys if (notice := self._read(key)) is not None}

    def _read(self, key: str) -> Notice | None:
        try:
            notice = Notice.model_validate_json(self._path(key).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        if notice.writer_lives():
            return notice
        self.remove(key)
        return None


def key_of(status: ClusterStatus) -> str:
    """Return the id of a cluster: its run, or the deployment of a persistent cluster."""
    return status.run_id or status.deployment_id or ""


def _started(status: ClusterStatus) -> datetime:
    return status.started
