"""`python -m satflow_ext.clusters.cluster_watcher`: tells on the board of standing clusters, for as long as somebody listens.

A process of its own, because distributed unpickles what a scheduler marks so, which must not happen in a Jupyter server. Here it
cannot either: other people's schedulers are only looked at, and nothing that they send has to be pickled. On each line of its
standard input is a JSON list of those to look at now; when the input ends, so does the process.

It is no dask client: a connected client is a user, and would keep a cluster that nobody uses from ending.
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
"""Seconds until a cluster that is not there, or does not answer, is looked for again."""
LONGEST = 2**24
"""Bytes of a line: some ten thousand clusters."""

log = logging.getLogger(__name__)


class Lookout:
    """Looks at clusters until told otherwise.

    Args:
        finder: finds their schedulers.
        board: where it is told how they are.
    """

    def __init__(self, finder: Finder, board: Board) -> None:
        self._finder = finder
        self._board = board
        self._tasks: dict[Standing, asyncio.Task[None]] = {}

    def look_at(self, wanted: tuple[Standing, ...]) -> None:
        """At these, and no others."""
        for gone in self._tasks.keys() - set(wanted):
            self._tasks.pop(gone).cancel()
        for new in set(wanted) - self._tasks.keys():
            self._tasks[new] = asyncio.create_task(self._follow(new))

    async def close(self) -> None:
        """Look at nothing any more."""
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
        """What is told of it, None when there is no cluster."""
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
        except Exception:  # the edge of what is told of one cluster: the others go on
            log.exception("The status of the cluster of %s cannot be told.", standing.deployment)
            problem = "Its status cannot be told; the Jupyter server's log says why."
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
    """Read lines, and look at what they say."""
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
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a scheduler that is away is told of on the board
    asyncio.run(main())
