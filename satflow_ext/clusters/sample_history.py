"""How clusters were in the last minutes: a file of lines for each, so that who looks later sees it too."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pydantic import ValidationError

from satflow_ext.models import ClusterMoment, ClusterStatus

SPAN = timedelta(minutes=10)
"""What is read of it."""
MOST = 600
"""Moments that are kept: those of ten minutes at one a second."""
LIMIT = 256 * 1024
"""Bytes of a file; it is cut to `MOST` lines, of some 150 bytes, before it gets longer."""


def moment(status: ClusterStatus) -> ClusterMoment:
    """A cluster at the moment that its status is of."""
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


class Past:
    """The moments of clusters, each known by a key.

    Args:
        folder: where the files are; it must be there before anything is added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, key: str, status: ClusterStatus) -> None:
        """Keep how a cluster is; one that is starting has nothing to show."""
        if status.state == "starting":
            return
        path = self._path(key)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(f"{moment(status).model_dump_json()}\n")
            length = file.tell()
        if length > LIMIT:
            self._cut(path)

    def read(self, key: str) -> tuple[ClusterMoment, ...]:
        """What is known of the last minutes, in its order."""
        since = datetime.now(timezone.utc) - SPAN
        moments = map(_read, self._lines(self._path(key)))
        return tuple(one for one in moments if one is not None and one.time > since)

    def remove(self, key: str) -> None:
        """Forget a cluster."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.past"

    @staticmethod
    def _lines(path: Path) -> list[str]:
        try:
            return path.read_text("utf-8").splitlines()[-MOST:]
        except FileNotFoundError:
            return []

    def _cut(self, path: Path) -> None:
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text("".join(f"{line}\n" for line in self._lines(path)), "utf-8")
        draft.replace(path)


def _read(line: str) -> ClusterMoment | None:
    """None where the line was cut off, or is of another version."""
    try:
        return ClusterMoment.model_validate_json(line)
    except ValidationError:
        return None
