"""History of the samples of clusters: a file with one line per sample for each cluster, for readers that start later."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pydantic import ValidationError

from satflow_ext.models import ClusterMoment, ClusterStatus

SPAN = timedelta(minutes=10)
"""Time span that readers get."""
MAX_MOMENTS = 600
"""Maximum number of moments to keep: ten minutes at one per second."""
MAX_BYTES = 256 * 1024
"""Maximum bytes of a file; a longer file is cut to its last `MAX_MOMENTS` lines of about 150 bytes each."""


def to_moment(status: ClusterStatus) -> ClusterMoment:
    """Reduce a status to the values that the history keeps."""
    tasks, workers = status.tasks, status.workers
    return ClusterMoment(
        time=status.updated,
        plan=status.plan,
        observed=status.observed,
        processing=tasks.get("processing", 0),
        held=tasks.get("queued", 0) + tasks.get("no-worker", 0),
        cpu=round(sum(worker.cpu for worker in workers) / 100, 3),
        memory=sum(worker.memory for worker in workers),
        managed=sum(worker.managed for worker in workers),
        spilled=sum(worker.spilled for worker in workers),
    )


class SampleHistory:
    """The history of clusters, each identified by a key.

    Args:
        folder: folder of the files, which must exist before the first call of `add`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add_status(self, key: str, status: ClusterStatus) -> None:
        """Append the status of a cluster, unless the cluster is still starting."""
        if status.state == "starting":
            return
        path = self._path(key)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(f"{to_moment(status).model_dump_json()}\n")
            length = file.tell()
        if length > MAX_BYTES:
            self._truncate_file(path)

    def read_moments(self, key: str) -> tuple[ClusterMoment, ...]:
        """Read the moments of the last minutes in chronological order."""
        since = datetime.now(timezone.utc) - SPAN
        moments = map(_parse_line, self._read_lines(self._path(key)))
        return tuple(one for one in moments if one is not None and one.time > since)

    def remove_history(self, key: str) -> None:
        """Delete the history of a cluster."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.past"

    @staticmethod
    def _read_lines(path: Path) -> list[str]:
        try:
            return path.read_text("utf-8").splitlines()[-MAX_MOMENTS:]
        except FileNotFoundError:
            return []

    def _truncate_file(self, path: Path) -> None:
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text("".join(f"{line}\n" for line in self._read_lines(path)), "utf-8")
        draft.replace(path)


def _parse_line(line: str) -> ClusterMoment | None:
    """Parse a line, or return None if it is incomplete or was written by another version."""
    try:
        return ClusterMoment.model_validate_json(line)
    except ValidationError:
        return None
