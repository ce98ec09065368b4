"""`python -m satflow_ext.clusters.cluster_watcher`: writes the status files of persistent clusters while a reader needs them.

This is a separate process, because distributed unpickles any value that a scheduler marks as a pickle, which must not happen
in a Jupyter server. This process refuses pickles as well: it only reads status from other users' schedulers, which needs none.
Each line of its standard input is a JSON list of the clusters to watch; the process ends when the input ends.

It is not a Dask client: a connected client counts as a user and would keep an unused cluster from ending.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from distributed.core import rpc

from satflow_ext.clusters.persistent_clusters import LINE, Standing
from satflow_ext.clusters.sample import ANSWER, UNANSWERED, Probe, unanswered
from satflow_ext.clusters.scheduler_locator import Finder
from satflow_ext.clusters.status_builder import Counts, Told
from satflow_ext.clusters.status_files import Board
from satflow_ext.errors import SatflowError
from satflow_ext.settings import load_settings
from satflow_ext.unpickling import refuse_pickles

PERIOD = 1.0
"""Seconds between two samples."""
AGAIN = 3.0
"""Seconds until the next search for a cluster that does not exist or does not answer."""
LONGEST = 2**24
"""Maximum bytes of a line: about ten thousand clusters."""

log = logging.getLogger(__name__)


class Lookout:
    """Watches a changing set of clusters.

    Args:
        finder: finds their schedulers.
        board: the status files to write.
    """

    def __init__(self, finder: Finder, board: Board) -> None:
        self._finder = finder
        self._board = board
        self._tasks: dict[Standing, asyncio.Task[None]] = {}

    def look_at(self, wanted: tuple[Standing, ...]) -> None:
        """Watch exactly these clusters."""
        for gone in self._tasks.keys() - set(wanted):
            self._tasks.pop(gone).cancel()
        for new in set(wanted) - self._tasks.keys():
            self._tasks[new] = asyncio.create_task(self._follow(new))

    async def close(self) -> None:
        """Stop watching all clusters."""
        tasks = list(self._tasks.values())
        self.look_at(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, standing: Standing) -> None:
        told: Told | None = None
        try:
            while True:
                told = await self._while_it_answers(standing, told)
                await asyncio.sleep(AGAIN)
        finally:
            self._board.remove(standing.deployment_id)

    async def _while_it_answers(self, standing: Standing, told: Told | None) -> Told | None:
        """Write the status until the scheduler stops answering. Return the status builder, or None if there is no cluster."""
        try:
            where = await asyncio.to_thread(self._finder.find, standing)
            if where is None:
                self._board.post_absent(standing.deployment_id)
                return None
            told = told or Told(standing.subject(), where.started)
            if where.address is None:
                self._board.post(told.starting("the Dask Gateway is starting its scheduler"))
                return told
            await self._sample(where.address, where.arguments, told)
        except SatflowError as error:
            problem = str(error)
        except UNANSWERED as error:
            problem = unanswered(error)
        except Exception:  # boundary of one cluster: watching the others continues
            log.exception("The status of the cluster of %s cannot be read.", standing.deployment)
            problem = "The status of the cluster cannot be read; check the Jupyter server's log."
        told = told or Told(standing.subject())
        self._board.post(told.missed(problem))
        return told

    async def _sample(self, address: str, arguments: dict[str, Any], told: Told) -> None:
        scheduler: Any = rpc(  # type: ignore[no-untyped-call]  # distributed is typed in part
            address, deserialize=False, timeout=ANSWER, connection_args=arguments
        )
        probe = Probe(scheduler)
        try:
            while True:
                self._board.post(told.seen(await probe.take(), Counts()))
                await asyncio.sleep(PERIOD)
        finally:
            await scheduler.close_rpc()


async def main() -> None:
    """Read lines and watch the clusters that they list."""
    settings = load_settings()
    lookout = Lookout(Finder(settings), Board(settings))
    lines = asyncio.StreamReader(limit=LONGEST)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    try:
        while line := await lines.readline():
            lookout.look_at(LINE.validate_json(line))
    finally:
        await lookout.close()


if __name__ == "__main__":
    refuse_pickles()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the status file reports an unreachable scheduler
    asyncio.run(main())
