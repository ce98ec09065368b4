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
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from distributed import Security
from distributed.core import rpc

from satflow_ext import endpoints
from satflow_ext.clusters.persistent_clusters import CLUSTERS_ADAPTER, PersistentCluster
from satflow_ext.clusters.sample import ANSWER_TIMEOUT, NO_ANSWER_ERRORS, SchedulerProbe, describe_error
from satflow_ext.clusters.status_builder import StatusBuilder, WorkerCounts
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.errors import SatflowError
from satflow_ext.gateways import shared_clusters
from satflow_ext.gateways.connection import connect_gateway, require_client
from satflow_ext.gateways.gateway_locator import DaskGateway, find_gateway
from satflow_ext.settings import Settings, load_settings
from satflow_ext.unpickling import refuse_pickles

if TYPE_CHECKING:
    from dask_gateway.client import ClusterReport

PERIOD = 1.0
"""Seconds between two samples."""
RETRY_DELAY = 3.0
"""Seconds until the next search for a cluster that does not exist or does not answer."""
MAX_LINE_BYTES = 2**24
"""Maximum bytes of a line: about ten thousand clusters."""

log = logging.getLogger(__name__)
LIST_CACHE_SECONDS = 2.0
"""Seconds for which a gateway's list of clusters is cached, because many deployments may need it."""


class ClusterWatcher:
    """Watches a changing set of clusters.

    Args:
        finder: finds their schedulers.
        board: the status files to write.
    """

    def __init__(self, finder: SchedulerLocator, board: StatusFiles) -> None:
        self._locator = finder
        self._status_files = board
        self._tasks: dict[PersistentCluster, asyncio.Task[None]] = {}

    def watch_clusters(self, clusters: tuple[PersistentCluster, ...]) -> None:
        """Watch exactly these clusters."""
        for gone in self._tasks.keys() - set(clusters):
            self._tasks.pop(gone).cancel()
        for new in set(clusters) - self._tasks.keys():
            self._tasks[new] = asyncio.create_task(self._watch_cluster(new))

    async def close(self) -> None:
        """Stop watching all clusters."""
        tasks = list(self._tasks.values())
        self.watch_clusters(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch_cluster(self, cluster: PersistentCluster) -> None:
        builder: StatusBuilder | None = None
        try:
            while True:
                builder = await self._watch_until_unreachable(cluster, builder)
                await asyncio.sleep(RETRY_DELAY)
        finally:
            self._status_files.remove_status(cluster.deployment_id)

    async def _watch_until_unreachable(
        self, cluster: PersistentCluster, builder: StatusBuilder | None
    ) -> StatusBuilder | None:
        """Write the status until the scheduler stops answering. Return the status builder, or None if there is no cluster."""
        try:
            where = await asyncio.to_thread(self._locator.find_scheduler, cluster)
            if where is None:
                self._status_files.write_absent(cluster.deployment_id)
                return None
            builder = builder or StatusBuilder(cluster.to_owner(), where.started)
            if where.address is None:
                self._status_files.write_status(builder.build_starting("the Dask Gateway is starting its scheduler"))
                return builder
            await self._sample_scheduler(where.address, where.arguments, builder)
        except SatflowError as error:
            problem = str(error)
        except NO_ANSWER_ERRORS as error:
            problem = describe_error(error)
        except Exception:  # boundary of one cluster: watching the others continues
            log.exception("The status of the cluster of %s cannot be read.", cluster.deployment)
            problem = "The status of the cluster cannot be read; check the Jupyter server's log."
        builder = builder or StatusBuilder(cluster.to_owner())
        self._status_files.write_status(builder.build_unreachable(problem))
        return builder

    async def _sample_scheduler(self, address: str, arguments: dict[str, Any], builder: StatusBuilder) -> None:
        scheduler: Any = rpc(  # type: ignore[no-untyped-call]  # distributed is typed in part
            address, deserialize=False, timeout=ANSWER_TIMEOUT, connection_args=arguments
        )
        probe = SchedulerProbe(scheduler)
        try:
            while True:
                self._status_files.write_status(builder.build_running(await probe.take_sample(), WorkerCounts()))
                await asyncio.sleep(PERIOD)
        finally:
            await scheduler.close_rpc()


async def main() -> None:
    """Read lines and watch the clusters that they list."""
    settings = load_settings()
    watcher = ClusterWatcher(SchedulerLocator(settings), StatusFiles(settings))
    lines = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    try:
        while line := await lines.readline():
            watcher.watch_clusters(CLUSTERS_ADAPTER.validate_json(line))
    finally:
        await watcher.close()


@dataclass(frozen=True)
class SchedulerLocation:
    """A scheduler. `address` is None while it starts; `started` is the start time of its cluster, if available."""

    address: str | None
    arguments: dict[str, Any] = field(repr=False)
    started: datetime | None = None


class SchedulerLocator:
    """Finds schedulers. All methods block, and none of them starts a Dask Gateway or keeps one running.

    Args:
        settings: define the gateways.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._lists: dict[str, tuple[float, list[ClusterReport]]] = {}

    def find_scheduler(self, cluster: PersistentCluster) -> SchedulerLocation | None:
        """Find the scheduler of a cluster, or return None if the cluster does not exist.

        Raises:
            ClusterFailed: a gateway does not answer.
            ExtraMissing: dask-gateway is not installed.
            SettingsWrong: the settings have no such gateway, or its credential is not set.
        """
        if cluster.address is not None:
            # Use the TLS settings of Dask's configuration, like a flow run.
            return SchedulerLocation(cluster.address, Security().get_connection_args("client"))  # type: ignore[no-untyped-call]
        require_client()
        where = self._find_gateway(cluster.gateway or "")
        return None if where is None else self._find_on_gateway(where, cluster.deployment_id)

    def _find_gateway(self, name: str) -> DaskGateway | None:
        if name:
            return find_gateway(name, self._settings, None)
        record = endpoints.read_record(self._settings)
        return find_gateway("", self._settings, record) if record and record.gateway_url else None

    def _find_on_gateway(self, location: DaskGateway, label: str) -> SchedulerLocation | None:
        names = [each.name for each in self._list_clusters(location) if shared_clusters.has_label(each, label)]
        if not names:
            return None
        with connect_gateway(location) as gateway:
            report = gateway.get_cluster(names[-1])
        started = report.start_time.astimezone()
        if report.status.name == "PENDING":
            return SchedulerLocation(None, {}, started)
        if report.status.name != "RUNNING":
            return None
        return SchedulerLocation(report.scheduler_address, report.security.get_connection_args("client"), started)

    def _list_clusters(self, location: DaskGateway) -> list[ClusterReport]:
        with self._lock:
            taken, reports = self._lists.get(location.name, (float("-inf"), []))
            if time.monotonic() > taken + LIST_CACHE_SECONDS:
                with connect_gateway(location) as gateway:
                    reports = sorted(gateway.list_clusters(), key=lambda each: (each.start_time, each.name))
                self._lists[location.name] = (time.monotonic(), reports)
            return reports


if __name__ == "__main__":
    refuse_pickles()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the status file reports an unreachable scheduler
    asyncio.run(main())
