"""`python -m satflow_ext.deployments.file_triggers`: send an event for each new file of a trigger of the local stack.

A trigger `files` is an automation that waits for our event about it. The local stack runs this process while the journal contains
such a trigger. It lists the files periodically, which works on every file system, and sends the event when a file has appeared or
was replaced, and is no longer being written (docs/decisions/0041).
"""

from __future__ import annotations

import asyncio
import glob
import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from pydantic import TypeAdapter, ValidationError

from satflow_ext import atomic_files, endpoints
from satflow_ext.deployments.automations import FILE_EVENT, PATH_LABEL, file_resource
from satflow_ext.deployments.journal import Journal
from satflow_ext.endpoints import PrefectApi, local_prefect_api
from satflow_ext.errors import SatflowError
from satflow_ext.models import JsonObject
from satflow_ext.prefect_api import prefect_client
from satflow_ext.settings import Settings, load_settings

PAUSE = 2.0
"""Seconds between two lists of the files. A file is new when two lists have it with the same size and time."""
NICENESS = 10
"""Niceness: the services and the user's programs have priority."""

FileStamp = tuple[int, int, int]
"""Time of the last change in nanoseconds, size and inode of a file: another one means that the file was replaced."""
FileList = dict[str, FileStamp]
"""The files of a trigger by their paths."""

logger = logging.getLogger(__name__)


def main() -> int:
    """Watch until the journal has no trigger on files, or the local stack has stopped."""
    os.nice(NICENESS)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logger.setLevel(logging.INFO)
    asyncio.run(watch_until_done(load_settings()))
    return 0


async def watch_until_done(settings: Settings) -> None:
    """Check the files periodically. An event that could not be sent is sent after a later check."""
    watcher = FileWatcher(settings)
    while await asyncio.to_thread(watcher.read_triggers):
        record = await asyncio.to_thread(endpoints.read_record, settings)
        if record is None or record.prefect_url is None:
            return
        try:
            await watcher.check_files(local_prefect_api(record.prefect_url, record.prefect_auth))
        except SatflowError as error:
            logger.warning("%s", error)
        await asyncio.sleep(PAUSE)
    await asyncio.to_thread(watcher.forget_files)


class FileWatcher:
    """Finds new files of the local stack's triggers. The files for which events were sent are stored in the state folder.

    Args:
        settings: define the folders of the journal and of that list.
    """

    def __init__(self, settings: Settings) -> None:
        self._journal = Journal(settings)
        self._path = settings.state_dir / "files.json"
        self._known = _read_lists(self._path)
        self._previous: dict[str, FileList] = {}

    def read_triggers(self) -> dict[str, str]:
        """Return the patterns of the triggers, by the resource of their events."""
        return {
            file_resource(entry.full_name, trigger): trigger.files
            for entry in self._journal.local_entries()
            for trigger in (entry.written.trigger if entry.written else ())
            if trigger.files is not None
        }

    async def check_files(self, api: PrefectApi) -> tuple[str, ...]:
        """List the files, and send an event for each new one; return their paths.

        The files that exist when a trigger is registered are not new.

        Raises:
            PrefectFailed: the API did not answer; the files of which it has no event stay new.
        """
        current = await asyncio.to_thread(self._list_files)
        known = {resource: self._known.get(resource, files) for resource, files in current.items()}
        known = {
            resource: {path: stamp for path, stamp in files.items() if path in current[resource]}
            for resource, files in known.items()
        }
        sent: list[str] = []
        try:
            async with prefect_client(api) as client:
                for resource, files in current.items():
                    for path in find_new_files(known[resource], self._previous.get(resource, {}), files):
                        await client.create_event(_event(resource, path, files[path]))
                        known[resource][path] = files[path]
                        sent.append(path)
                        logger.info("%s is new.", path)
        finally:
            self._previous = current
            await asyncio.to_thread(self._store, known)
        return tuple(sent)

    def forget_files(self) -> None:
        """Forget all files, so that a trigger that is registered again does not start runs for earlier ones."""
        self._store({})

    def _list_files(self) -> dict[str, FileList]:
        return {resource: list_files(pattern) for resource, pattern in self.read_triggers().items()}

    def _store(self, known: dict[str, FileList]) -> None:
        if known != self._known:
            atomic_files.write_atomically(self._path, _lists.dump_json(known))
            self._known = known


def find_new_files(known: Mapping[str, FileStamp], previous: Mapping[str, FileStamp], current: FileList) -> list[str]:
    """Return the files that were not known, and have not changed since the previous list, in the order of their times."""
    found = [path for path, stamp in current.items() if known.get(path) != stamp and previous.get(path) == stamp]
    return sorted(found, key=lambda path: current[path])


def list_files(pattern: str) -> FileList:
    """List the regular files that match a pattern, with wildcards as in a shell. A folder that cannot be read has none."""
    found: FileList = {}
    for path in glob.iglob(pattern):
        if os.path.isfile(path) and path.isprintable():  # other names cannot be sent
            try:
                status = os.stat(path)
            except OSError:  # just removed
                continue
            found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _event(resource: str, path: str, stamp: FileStamp) -> JsonObject:
    """Return the event. Its id is the same if the event is sent again, because the list could not be stored."""
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{resource} {path} {stamp}")),
        "event": FILE_EVENT,
        "occurred": datetime.now(timezone.utc).isoformat(),
        "resource": {"prefect.resource.id": resource, PATH_LABEL: path},
    }


_lists: TypeAdapter[dict[str, FileList]] = TypeAdapter(dict[str, FileList])


def _read_lists(path: Path) -> dict[str, FileList]:
    """Read the files for which events were sent; without the list, no file is new that exists now."""
    try:
        return _lists.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}


if __name__ == "__main__":
    sys.exit(main())
