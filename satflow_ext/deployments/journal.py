"""The journal: this machine's last write of each deployment in Prefect, and a write that it has begun.

One small file per deployment, replaced atomically and durably, so that the state after a killed process or a power cut can be
detected and repaired (docs/decisions/0014). A process that writes an entry holds the deployment lock (`deployment_lock.py`).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext import atomic_files
from satflow_ext.endpoints import Endpoints, hide_credentials
from satflow_ext.errors import JournalFailed
from satflow_ext.models import (
    CollisionStrategy,
    Digest,
    JsonObject,
    MissedRuns,
    Notification,
    Registration,
    Trigger,
)
from satflow_ext.settings import LOCAL, Settings
from satflow_ext.versions.pin import Pin

DISK_FIX = "Make room on the disk, or check the owner and permissions of the file."


class DeploymentWrite(BaseModel):
    """One write of a deployment's row: the values that SatFlow controls. Values that other clients set are not included.

    `number` counts the writes of a deployment from 1; the write marker in Prefect's database has the same number
    (`write_marker.py`). `kept` are the names of choices that were left as they are in Prefect.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    version: int
    store: str
    manifest: Digest
    parameters: JsonObject
    tags: tuple[str, ...]
    work_pool: str | None
    job_variables: JsonObject = {}
    schedules: tuple[JsonObject, ...]
    paused: bool
    description: str | None = None
    concurrency_limit: int | None = None
    collision_strategy: CollisionStrategy = "enqueue"
    missed_runs: MissedRuns = "last"
    notify: tuple[Notification, ...] = ()
    trigger: tuple[Trigger, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def automations(self) -> Registration:
        """A registration with only the choices that become automations."""
        return Registration(notify=self.notify, trigger=self.trigger)

    @property
    def pin(self) -> Pin:
        """The pin in the row's pull step."""
        return Pin(self.store, self.manifest)


class JournalEntry(BaseModel):
    """The journal's entry for one deployment.

    Args:
        format: version of this document format.
        prefect: the Prefect API that has the deployment: `local`, or an address.
        full_name: `flow/deployment`.
        marker_name: name of the write marker, a variable in Prefect's database that is written after each write of the row; None
            if the database has no marker.
        count: the number of the last write that was begun.
        written: the last completed write, None if there was none.
        begun: a write that was begun and whose result is unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    prefect: str
    full_name: str
    marker_name: str | None
    count: int = 0
    written: DeploymentWrite | None = None
    begun: DeploymentWrite | None = None

    def settle_begun_write(self, live: Pin | None) -> JournalEntry:
        """Return the entry without a begun write: if Prefect has that write, it is complete; otherwise it was never made."""
        if self.begun is None:
            return self
        written = self.begun if self.begun.pin == live else self.written
        return self.model_copy(update={"written": written, "begun": None})


class Journal:
    """The journal of one user.

    Args:
        settings: define the folder of the entries.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state_dir / "journal"

    def read_entry(self, endpoints: Endpoints, full_name: str) -> JournalEntry | None:
        """Read the entry of a deployment; None if this machine never wrote the deployment.

        Raises:
            JournalFailed: the entry cannot be read.
        """
        return _read_file(self._entry_path(_prefect_key(endpoints), full_name))

    def local_entries(self) -> list[JournalEntry]:
        """Read the entries of the local stack's deployments, except those that cannot be read."""
        return self._read_entries(LOCAL)

    def find_entries(self, endpoints: Endpoints, name: str) -> list[JournalEntry]:
        """Read the entries that match a name: `flow/deployment`, or the deployment's name."""
        entries = self._read_entries(_prefect_key(endpoints))
        return [each for each in entries if name in (each.full_name, each.full_name.rpartition("/")[2])]

    def _read_entries(self, prefect: str) -> list[JournalEntry]:
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                entry = _read_file(path)
            except JournalFailed:
                continue
            if entry is not None and entry.prefect == prefect:
                found.append(entry)
        return found

    def pins_elsewhere(self, endpoints: Endpoints) -> list[Pin]:
        """Return the pins of deployments that this machine wrote to other Prefect APIs than this one.

        Raises:
            JournalFailed: an entry cannot be read.
        """
        entries = [_read_file(path) for path in sorted(self._folder.glob("*.json"))]
        others = [entry for entry in entries if entry is not None and entry.prefect != _prefect_key(endpoints)]
        return [each.pin for entry in others for each in (entry.written, entry.begun) if each is not None]

    def new_entry(self, endpoints: Endpoints, full_name: str) -> JournalEntry:
        """Create an entry for a deployment that has none. Only the local stack's database gets a write marker."""
        marker_name = f"satflow_{uuid4().hex}" if endpoints.local else None
        return JournalEntry(prefect=_prefect_key(endpoints), full_name=full_name, marker_name=marker_name)

    def write_entry(self, entry: JournalEntry) -> None:
        """Store an entry in place of the previous one.

        Raises:
            JournalFailed: the entry could not be written; the previous one is intact.
        """
        path = self._entry_path(entry.prefect, entry.full_name)
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                atomic_files.sync_folder(self._folder.parent)
            for left in self._folder.glob(f".{path.name}.*"):  # of a process that was killed while it held the lock
                left.unlink(missing_ok=True)
            atomic_files.write_atomically(path, entry.model_dump_json().encode())
        except OSError as error:
            raise JournalFailed(f"The journal {path} cannot be written: {error.strerror}.", fix=DISK_FIX) from None

    def record_paused(self, endpoints: Endpoints, full_name: str, paused: bool) -> None:
        """Record whether a deployment is paused, so that a row that has to be written again keeps that state.

        Raises:
            JournalFailed: the entry could not be written.
        """
        entry = self.read_entry(endpoints, full_name)
        if entry is not None and entry.written is not None:
            written = entry.written.model_copy(update={"paused": paused})
            self.write_entry(entry.model_copy(update={"written": written}))

    def remove_entry(self, endpoints: Endpoints, full_name: str) -> JournalEntry | None:
        """Remove an entry and return it.

        Raises:
            JournalFailed: the entry cannot be removed.
        """
        entry = self.read_entry(endpoints, full_name)
        path = self._entry_path(_prefect_key(endpoints), full_name)
        try:
            path.unlink(missing_ok=True)
            if entry is not None:
                atomic_files.sync_folder(self._folder)
        except OSError as error:
            raise JournalFailed(f"The journal {path} cannot be removed: {error.strerror}.", fix=DISK_FIX) from None
        return entry

    def _entry_path(self, prefect: str, full_name: str) -> Path:
        name = hashlib.sha256(f"{prefect} {full_name}".encode()).hexdigest()[:32]
        return self._folder / f"{name}.json"


def _read_file(path: Path) -> JournalEntry | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return JournalEntry.model_validate_json(file.read())
    except FileNotFoundError:
        return None
    except ValidationError:
        reason = "it was written by another version of SatFlow, or is damaged"
    except OSError as error:
        reason = str(error.strerror)
    raise JournalFailed(
        f"The journal {path} cannot be read: {reason}.", fix="Move the file away: Prefect has everything that is in it."
    )


def _prefect_key(endpoints: Endpoints) -> str:
    """Return the key of a Prefect API: its address, or a constant for the local stack, whose port changes each time."""
    return LOCAL if endpoints.local else hide_credentials(endpoints.prefect.url)
