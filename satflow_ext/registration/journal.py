"""The journal: what this machine told Prefect of each deployment last, and what it is about to tell.

One small file a deployment, replaced whole and durably, so that what a killed process or a power cut left can be told and mended
(docs/decisions/0014). Whoever writes an entry has the deployment's turn (`deployment_lock.py`).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from satflow_ext import atomic_files
from satflow_ext.endpoints import Endpoints, shown
from satflow_ext.errors import JournalFailed
from satflow_ext.models import Digest, JsonObject, MissedRuns
from satflow_ext.registration.deployment_pin import Pin
from satflow_ext.settings import LOCAL, Settings

FIX = "Make room, or see whose it is."


class Written(BaseModel):
    """One write of a deployment's row: what SatFlow decides of it. What others set beside is not kept here.

    `number` counts the writes of a deployment from 1; the witness in Prefect's database holds the same (`write_marker.py`).
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
    missed_runs: MissedRuns = "last"

    @property
    def pin(self) -> Pin:
        """What the row's pull step says."""
        return Pin(self.store, self.manifest)


class Entry(BaseModel):
    """What the journal says of one deployment.

    Args:
        format: of this document.
        prefect: whose deployment it is: `local`, or the address of a Prefect API.
        full_name: `flow/deployment`.
        witness: name of the variable in Prefect's database that is written after each write of the row; None where there is none.
        count: the number of the last write that was begun.
        written: the last write that was seen through, None where there was none.
        begun: the write whose end is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    prefect: str
    full_name: str
    witness: str | None
    count: int = 0
    written: Written | None = None
    begun: Written | None = None

    def settled(self, live: Pin | None) -> Entry:
        """The same with nothing begun: a write that Prefect has was seen through, and another one was never made."""
        if self.begun is None:
            return self
        written = self.begun if self.begun.pin == live else self.written
        return self.model_copy(update={"written": written, "begun": None})


class Journal:
    """The entries of one user.

    Args:
        settings: say where they are.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state_dir / "journal"

    def read(self, endpoints: Endpoints, full_name: str) -> Entry | None:
        """The entry of a deployment, None where this machine never wrote it.

        Raises:
            JournalFailed: there is one that cannot be read.
        """
        return _read(self._path(_prefect(endpoints), full_name))

    def local(self) -> list[Entry]:
        """The entries of the local stack's deployments, without those that cannot be read."""
        return self._entries(LOCAL)

    def called(self, endpoints: Endpoints, name: str) -> list[Entry]:
        """The entries that a user may mean: by `flow/deployment`, or by the deployment's name."""
        entries = self._entries(_prefect(endpoints))
        return [each for each in entries if name in (each.full_name, each.full_name.rpartition("/")[2])]

    def _entries(self, prefect: str) -> list[Entry]:
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                entry = _read(path)
            except JournalFailed:
                continue
            if entry is not None and entry.prefect == prefect:
                found.append(entry)
        return found

    def pins_elsewhere(self, endpoints: Endpoints) -> list[Pin]:
        """What the deployments of other Prefect APIs than this one pin, as far as this machine wrote them.

        Raises:
            JournalFailed: an entry cannot be read.
        """
        entries = [_read(path) for path in sorted(self._folder.glob("*.json"))]
        others = [entry for entry in entries if entry is not None and entry.prefect != _prefect(endpoints)]
        return [each.pin for entry in others for each in (entry.written, entry.begun) if each is not None]

    def fresh(self, endpoints: Endpoints, full_name: str) -> Entry:
        """An entry of a deployment that has none. Only a database of our own gets a witness."""
        witness = f"satflow_{uuid4().hex}" if endpoints.local else None
        return Entry(prefect=_prefect(endpoints), full_name=full_name, witness=witness)

    def write(self, entry: Entry) -> None:
        """Keep an entry in the place of the one before.

        Raises:
            JournalFailed: the disk did not take it; the one before is there.
        """
        path = self._path(entry.prefect, entry.full_name)
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                atomic_files.sync(self._folder.parent)
            for left in self._folder.glob(f".{path.name}.*"):  # of a process that was killed while it had this turn
                left.unlink(missing_ok=True)
            atomic_files.replace(path, entry.model_dump_json().encode())
        except OSError as error:
            raise JournalFailed(f"The journal {path} cannot be written: {error.strerror}.", fix=FIX) from None

    def note_paused(self, endpoints: Endpoints, full_name: str, paused: bool) -> None:
        """A row that has to be written again stays as paused as it was.

        Raises:
            JournalFailed: the disk did not take it.
        """
        entry = self.read(endpoints, full_name)
        if entry is not None and entry.written is not None:
            written = entry.written.model_copy(update={"paused": paused})
            self.write(entry.model_copy(update={"written": written}))

    def forget(self, endpoints: Endpoints, full_name: str) -> Entry | None:
        """Remove an entry and give what it was.

        Raises:
            JournalFailed: it cannot be removed.
        """
        entry = self.read(endpoints, full_name)
        path = self._path(_prefect(endpoints), full_name)
        try:
            path.unlink(missing_ok=True)
            if entry is not None:
                atomic_files.sync(self._folder)
        except OSError as error:
            raise JournalFailed(f"The journal {path} cannot be removed: {error.strerror}.", fix=FIX) from None
        return entry

    def _path(self, prefect: str, full_name: str) -> Path:
        name = hashlib.sha256(f"{prefect} {full_name}".encode()).hexdigest()[:32]
        return self._folder / f"{name}.json"


def _read(path: Path) -> Entry | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return Entry.model_validate_json(file.read())
    except FileNotFoundError:
        return None
    except ValidationError:
        why = "it is of another version of SatFlow, or damaged"
    except OSError as error:
        why = str(error.strerror)
    raise JournalFailed(
        f"The journal {path} cannot be read: {why}.", fix="Move it away: nothing of Prefect's is in it only."
    )


def _prefect(endpoints: Endpoints) -> str:
    """The local stack's Prefect has another port each time."""
    return LOCAL if endpoints.local else shown(endpoints.prefect.url)
