"""A run's whole log as text: the lines of the Prefect API, and those that this machine has not uploaded yet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from operator import attrgetter

from satflow_ext.endpoints import PrefectApi
from satflow_ext.prefect_api import prefect_client
from satflow_ext.run_logs.lines import Line
from satflow_ext.run_logs.reading import SpoolSnapshot
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.runs.log_pages import line_of, log_pages
from satflow_ext.runs.run_lookup import find
from satflow_ext.settings import Settings


async def whole_log(prefect_api: PrefectApi, run_id: str, settings: Settings, indent: str = "") -> AsyncIterator[str]:
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
        flow_run = await find(client, run_id)
        spooled = SpoolSnapshot(spool_folder(settings) / str(flow_run.id))
        await asyncio.to_thread(spooled.load)  # before the API is read, because lines may be uploaded in the meantime
        merge = _Merge()
        async for page in log_pages(client, flow_run.id):
            lines = list(map(line_of, page))
            until = lines[-1].time
            yield _text(merge.add([*lines, *spooled.take_until(until)], until), indent)
        yield _text(merge.add(spooled.take_until(None), None), indent)


class _Merge:
    """A merge of lines from several sources, each sorted by time, without duplicates."""

    def __init__(self) -> None:
        self._edge: datetime | None = None
        self._at_edge: set[bytes] = set()

    def add(self, lines: Iterable[Line], until: datetime | None) -> list[Line]:
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


def _text(lines: Iterable[Line], indent: str) -> str:
    return "".join(
        f"{line.time.isoformat()} | {logging.getLevelName(line.level)} | "
        f"{indented(f'{line.logger} - {line.message}', indent)}\n"
        for line in lines
    )


def indented(text: str, indent: str) -> str:
    """Prefix each line of a text except the first."""
    return text.replace("\n", f"\n{indent}")
