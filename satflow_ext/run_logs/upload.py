"""The uploader, which sends each line of the spool files to the Prefect API once.

It sends one request of limited size at a time, so that a flood of lines delays only its own delivery. If the outcome of a request
is unknown (the server ended, the connection broke), it does not repeat the request unchanged: it reads which of the lines the API
has, and sends the others. A file is removed when the API has all of its lines and no process writes to it any more.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from satflow_ext.run_logs.lines import RunLogLine, encode_line, format_timestamp, line_from_json
from satflow_ext.run_logs.log_api import LogApi
from satflow_ext.run_logs.reading import SpooledLine, SpoolFile, create_note
from satflow_ext.run_logs.spool import HEADER_SIZE, files_by_process, is_complete, spool_files

BATCH_LINES = 500
BATCH_BYTES = 512 * 1024
"""Maximum number of lines and bytes per request; a single longer line is sent in a separate request."""
IDLE_PAUSE = 0.2
"""Seconds between two checks of the spool while there is nothing to send."""
PAUSE_SHARE = 0.25
"""Pause after a request, as a share of the request's duration, so that the server has time for other clients."""
MAX_PAUSE = 15.0
"""Maximum seconds between two attempts while the Prefect API does not answer. The pause starts with `IDLE_PAUSE` and doubles.

It is also the pause for a file that cannot be uploaded for another reason, while other files are uploaded."""
PAGE_SIZE = 200
"""Maximum number of lines that the API returns per request."""
MAX_ATTEMPTS = 3
"""Number of server errors for one batch after which it is split, or a single line is replaced with a note."""
RETRIED_STATUSES = frozenset({401, 403, 404, 408, 425, 429})
"""Status codes of refusals for reasons other than the lines, which are sent again."""

logger = logging.getLogger(__name__)


@dataclass
class _Upload:
    """The upload of one file."""

    file: SpoolFile
    uncertain_offset: int
    """The API may have lines before this offset that were not confirmed."""
    max_lines: int = BATCH_LINES
    failures: int = 0
    sent_offset: int = HEADER_SIZE

    def is_sent(self) -> bool:
        """Return whether the API has the current content of the file."""
        return self.sent_offset >= self.file.size


@dataclass(frozen=True)
class _Batch:
    start: int
    end: int
    lines: Sequence[SpooledLine] = field(repr=False)


class LogUploader:
    """An uploader of a spool folder, including files that an earlier uploader left.

    Args:
        root: spool folder, with a folder for each flow run.
        api: API that receives the lines.
    """

    def __init__(self, root: Path, api: LogApi) -> None:
        self._root = root
        self._api = api
        self.uploaded_lines = 0
        """Number of lines sent so far."""
        self._uploads: dict[Path, _Upload] = {}
        self._paused_until: dict[Path, float] = {}
        self._found_at_start = {path for folder in self._list_folders() for path in spool_files(folder)}

    def run(self, stop: threading.Event) -> None:
        """Upload until stopped."""
        pause = 0.0
        while not stop.wait(pause):
            begun = time.monotonic()
            try:
                pause = PAUSE_SHARE * (time.monotonic() - begun) if self.upload_batches() else IDLE_PAUSE
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                logger.warning(
                    "Log lines could not be sent to the Prefect API yet, retrying: %s", _describe_error(error)
                )
                longer = min(max(2 * pause, IDLE_PAUSE), MAX_PAUSE)
                pause = MAX_PAUSE if self._api.may_still_complete(error) else longer
            except Exception:  # the outermost level: the lines of all runs depend on this loop
                logger.exception("Log lines could not be uploaded; the next attempt is in %s s.", MAX_PAUSE)
                pause = MAX_PAUSE

    def upload_batches(self) -> bool:
        """Send at most one batch of each process that logs for a flow run. Return whether there was anything to do.

        Raises:
            httpx.HTTPError: the Prefect API did not accept a batch; the next call sends it again.
        """
        oldest = [files[0] for folder in self._list_folders() for files in files_by_process(folder)]
        return sum(map(self._try_upload, oldest)) > 0

    def _try_upload(self, path: Path) -> bool:
        """Upload from a file, unless that failed recently. Return whether there was anything to do."""
        if self._paused_until.get(path, 0.0) > time.monotonic():
            return False
        self._paused_until.pop(path, None)
        try:
            return self._upload_next(path)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise
        except Exception:  # must not stop the upload of other runs
            logger.exception("Log lines in %s could not be uploaded; the next attempt is in %s s.", path, MAX_PAUSE)
            self._paused_until[path] = time.monotonic() + MAX_PAUSE
            return False

    def is_up_to_date(self) -> bool:
        """Return whether the API has every line written so far."""
        paths = [path for folder in self._list_folders() for path in spool_files(folder)]
        return all(map(self._is_sent, paths))

    def _is_sent(self, path: Path) -> bool:
        upload = self._uploads.get(path)
        if upload is None:
            return not path.exists()
        with contextlib.suppress(OSError):
            return upload.is_sent()
        return True  # finished meanwhile

    def _list_folders(self) -> list[Path]:
        try:
            return sorted(each for each in self._root.iterdir() if _is_run_id(each.name))
        except FileNotFoundError:
            return []

    def _upload_next(self, path: Path) -> bool:
        """Send the next batch of a file, or remove a complete file without further lines. Return whether either was done."""
        upload = self._uploads.get(path) or self._begin_upload(path)
        complete = upload.file.is_complete()
        batch = _read_batch(upload)
        if batch.lines:
            self._send_batch(path.parent.name, upload, batch)
        elif complete:
            self._finish_upload(path, upload)
        return complete or bool(batch.lines)

    def _begin_upload(self, path: Path) -> _Upload:
        file = SpoolFile(path)
        upload = _Upload(file, file.size if path in self._found_at_start else 0)
        self._uploads[path] = upload
        return upload

    def _send_batch(self, run_id: str, upload: _Upload, batch: _Batch) -> None:
        lines = batch.lines
        try:
            if batch.start < upload.uncertain_offset:
                lines = self._select_missing(run_id, lines)
            if lines:
                self._api.post_json("/logs/", _encode_array(lines))
        except BaseException as error:
            upload.file.read_offset = batch.start
            upload.uncertain_offset = max(upload.uncertain_offset, batch.end)
            if not (isinstance(error, httpx.HTTPError) and self._handle_refusal(run_id, upload, batch, error)):
                raise
            return
        upload.max_lines, upload.failures, upload.sent_offset = min(2 * upload.max_lines, BATCH_LINES), 0, batch.end
        self.uploaded_lines += len(batch.lines)

    def _handle_refusal(self, run_id: str, upload: _Upload, batch: _Batch, error: httpx.HTTPError) -> bool:
        """Send smaller batches after a refusal; replace a single line that the API refuses because of its content.

        Return whether the refusal is about the content, so that the next batch can be sent at once.
        """
        if not isinstance(error, httpx.HTTPStatusError) or error.response.status_code in RETRIED_STATUSES:
            return False
        upload.failures += 1
        if error.response.is_server_error and upload.failures < MAX_ATTEMPTS:
            return False
        upload.failures = 0
        if len(batch.lines) > 1:
            upload.max_lines = len(batch.lines) // 2
            return True
        # If the API accepts the note, it works and refuses only this line.
        self._send_notes(run_id, [_refusal_note(batch.lines[0].line, error.response.status_code)])
        upload.file.read_offset = upload.sent_offset = batch.end
        return True

    def _send_notes(self, run_id: str, notes: Sequence[RunLogLine]) -> None:
        encoded = [SpooledLine(encode_line(run_id, note), note) for note in notes]
        if encoded and (missing := self._select_missing(run_id, encoded)):
            self._api.post_json("/logs/", _encode_array(missing))

    def _select_missing(self, run_id: str, lines: Sequence[SpooledLine]) -> list[SpooledLine]:
        """Return the lines that the API does not have."""
        by_id = {each.line.id: each for each in lines}
        times = [each.line.time for each in lines]
        for known in self._read_uploaded(run_id, format_timestamp(min(times)), format_timestamp(max(times))):
            by_id.pop(known.id, None)
        return list(by_id.values())

    def _read_uploaded(self, run_id: str, first: str, last: str) -> Iterable[RunLogLine]:
        """Read the lines that the API has in a time interval, including both ends."""
        offset = 0
        while True:
            query = {
                "logs": {"flow_run_id": {"any_": [run_id]}, "timestamp": {"after_": first, "before_": last}},
                "sort": "TIMESTAMP_ASC",
                "limit": PAGE_SIZE,
                "offset": offset,
            }
            page = json.loads(self._api.post_json("/logs/filter", json.dumps(query).encode()))
            yield from map(line_from_json, page)
            if len(page) < PAGE_SIZE:
                return
            offset += PAGE_SIZE

    def _finish_upload(self, path: Path, upload: _Upload) -> None:
        """Send the notes about missing lines of a file, and remove the file."""
        self._send_notes(path.parent.name, upload.file.missing_line_notes())
        path.unlink(missing_ok=True)
        del self._uploads[path]
        upload.file.close()
        _remove_folder(path.parent)


def _remove_folder(folder: Path) -> None:
    """Remove a flow run's folder, including unfinished files of killed processes, unless a process has a file there."""
    for begun in folder.glob(".*"):
        with contextlib.suppress(OSError), begun.open("rb") as file:
            if is_complete(file.fileno()):
                begun.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def _read_batch(upload: _Upload) -> _Batch:
    """Read the next lines, within the limits of one request."""
    start = upload.file.read_offset
    lines = upload.file.read_lines(BATCH_BYTES, upload.max_lines)
    return _Batch(start, upload.file.read_offset, lines)


def _refusal_note(line: RunLogLine, status: int) -> RunLogLine:
    size = len(line.message)
    return create_note(
        line.time, f"… a log line of {size:,} characters is missing here: the Prefect API answered {status}."
    )


def _encode_array(lines: Sequence[SpooledLine]) -> bytes:
    return b"[" + b",".join(each.text for each in lines) + b"]"


def _is_run_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _describe_error(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered with status {error.response.status_code}"
    return f"{type(error).__name__}"
