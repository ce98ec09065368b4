"""A run's whole log as text: the lines of the Prefect API, and those that this machine has not uploaded yet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from operator import attrgetter

from satflow_ext.endpoints import PrefectApi
from satflow_ext.prefect_api import prefect_client
from satflow_ext.run_logs.lines import RunLogLine
from satflow_ext.run_logs.reading import SpoolSnapshot
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.runs.log_pages import convert_line, read_log_pages
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.settings import Settings


async def stream_whole_log(
    prefect_api: PrefectApi, run_id: str, settings: Settings, indent: str = ""
) -> AsyncIterator[str]:
    """Yield the log in pieces of a few hundred lines `time | LEVEL | logger - message`, oldest first.

    Args:
        prefect_api: the Prefect API of the run.
        run_id: id of the flow run.
        settings: settings of this machine, which may have lines that are not uploaded yet.
        indent: prefix of the continuation lines of a logger's name and a message, which then cannot look like lines of the log.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        spooled = SpoolSnapshot(spool_folder(settings) / str(flow_run.id))
        await asyncio.to_thread(
            spooled.read_files
        )  # before the API is read, because lines may be uploaded in the meantime
        merge = _LineMerge()
        async for page in read_log_pages(client, flow_run.id):
            lines = list(map(convert_line, page))
            until = lines[-1].time
            yield _format_lines(merge.merge_lines([*lines, *spooled.yield_until(until)], until), indent)
        yield _format_lines(merge.merge_lines(spooled.yield_until(None), None), indent)


class _LineMerge:
    """A merge of lines from several sources, each sorted by time, without duplicates."""

    def __init__(self) -> None:
        self._edge: datetime | None = None
        self._at_edge: set[bytes] = set()

    def merge_lines(self, lines: Iterable[RunLogLine], until: datetime | None) -> list[RunLogLine]:
        """Return the new lines, sorted by time.

        Args:
            lines: lines up to a time.
            until: that time; the next lines may start with it.
        """
        new = {line.id: line for line in lines if line.id not in self._at_edge}
        if until != self._edge:
            self._edge, self._at_edge = until, set()
        self._at_edge |= {line.id for line in new.values() if line.time == until}
        return sorted(new.values(), key=attrgetter("time"))


def _format_lines(lines: Iterable[RunLogLine], indent: str) -> str:
    return "".join(
        f"{line.time.isoformat()} | {logging.getLevelName(line.level)} | "
        f"{indent_text(f'{line.logger} - {line.message}', indent)}\n"
        for line in lines
    )


def indent_text(text: str, indent: str) -> str:
    """Prefix each line of a text except the first."""
    return text.replace("\n", f"\n{indent}")
