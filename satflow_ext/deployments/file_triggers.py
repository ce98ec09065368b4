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
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import SatflowError
from satflow_ext.models import JsonObject
from satflow_ext.prefect_api import prefect_client
from satflow_ext.settings import Settings, load_settings

PAUSE = 2.0
"""Seconds between two lists of the files. A file is new when two lists have it with the same size and time."""
MAX_GONE = 10_000
"""Maximum number of files of a trigger that are remembered although they are gone."""
NICENESS = 10
"""Niceness: the services and the user's programs have priority."""

FileStamp = tuple[int, int]
"""Time of the last change in nanoseconds, and size of a file: another one means that the file was replaced."""
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
    while triggers := await asyncio.to_thread(watcher.read_triggers):
        api = await asyncio.to_thread(endpoints.read_local_prefect, settings)
        if api is None:
            return
        new = await asyncio.to_thread(watcher.list_new_files, triggers)
        try:
            if new:
                await watcher.send_events(new, api)
        except SatflowError as error:
            logger.warning("%s", error)
        await asyncio.to_thread(watcher.store)
        await asyncio.sleep(PAUSE)
    # A trigger that is registered again must not start runs for the files that appeared in between.
    await asyncio.to_thread(watcher.list_new_files, {})
    await asyncio.to_thread(watcher.store)


class FileWatcher:
    """Finds new files of the local stack's triggers. The files for which events were sent are stored in the state folder.

    Files that are gone are remembered: a network folder that was away for a moment must not start a run for each of its files.

    Args:
        settings: define the folders of the journal and of that list.
    """

    def __init__(self, settings: Settings) -> None:
        self._journal = Journal(settings)
        self._path = settings.state_dir / "files.json"
        self._known = _read_lists(self._path)
        self._previous: dict[str, FileList] = {}
        self._stored = b""

    def read_triggers(self) -> dict[str, str]:
        """Return the patterns of the triggers, by the resource of their events."""
        return {
            file_resource(entry.full_name, trigger): trigger.files
            for entry in self._journal.local_entries()
            for trigger in (entry.written.trigger if entry.written else ())
            if trigger.files is not None
        }

    def list_new_files(self, triggers: Mapping[str, str]) -> dict[str, FileList]:
        """List the new files of each trigger that has some. The first list of a trigger has none.

        Args:
            triggers: patterns by the resource of their events; the files of others are forgotten.
        """
        current = {resource: list_files(pattern) for resource, pattern in triggers.items()}
        self._known = {
            resource: forget_oldest(self._known[resource], files) if resource in self._known else {**files}
            for resource, files in current.items()
        }
        new = {
            resource: find_new_files(self._known[resource], self._previous.get(resource, {}), files)
            for resource, files in current.items()
        }
        self._previous = current
        return {resource: files for resource, files in new.items() if files}

    async def send_events(self, new: Mapping[str, FileList], api: PrefectApi) -> None:
        """Send an event for each new file.

        Raises:
            PrefectFailed: the API did not answer; the files of which it has no event stay new.
        """
        async with prefect_client(api) as client:
            for resource, files in new.items():
                for path, stamp in files.items():
                    await client.create_event(_event(resource, path, stamp))
                    self._known[resource][path] = stamp
                    logger.info("%s is new.", path)

    def store(self) -> None:
        """Store the files for which events were sent, if there are others than before."""
        content = _lists.dump_json(self._known)
        if content == self._stored:
            return
        try:
            atomic_files.write_atomically(self._path, content)
        except OSError as error:  # this process still knows the files
            logger.warning("%s cannot be written: %s.", self._path, error.strerror)
        else:
            self._stored = content


def find_new_files(known: FileList, previous: FileList, current: FileList) -> FileList:
    """Return the files that were not known, and have not changed since the previous list, in the order of their times."""
    found = [path for path, stamp in current.items() if known.get(path) != stamp and previous.get(path) == stamp]
    return {path: current[path] for path in sorted(found, key=lambda path: current[path])}


def forget_oldest(known: FileList, current: FileList, limit: int = MAX_GONE) -> FileList:
    """Return the known files without the oldest of those that are gone.

    Args:
        known: the files for which events were sent.
        current: the files that exist.
        limit: maximum number of files that are gone.
    """
    gone = sorted((path for path in known if path not in current), key=lambda path: known[path])
    forgotten = set(gone[: max(len(gone) - limit, 0)])
    return {path: stamp for path, stamp in known.items() if path not in forgotten}


def list_files(pattern: str) -> FileList:
    """List the regular files that match a pattern, with wildcards as in a shell. A folder that cannot be read has none."""
    found: FileList = {}
    for path in glob.iglob(pattern):
        if os.path.isfile(path) and path.isprintable():  # other names cannot be sent
            try:
                status = os.stat(path)
            except OSError:  # just removed
                continue
            found[path] = (status.st_mtime_ns, status.st_size)
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
