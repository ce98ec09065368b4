"""Cluster classes as somebody might write them: most of them do not do what they should."""

from __future__ import annotations

import asyncio

from distributed import LocalCluster
from distributed.deploy.spec import ProcessInterface, SpecCluster

events: list[str] = []
"""What happened to the parts of clusters."""


class Small(LocalCluster):
    """A cluster on this machine, whose number of Dask workers and idle time-out are SatFlow's to say."""

    def __init__(self, n_workers=None, idle_timeout=None, note="", **more):
        events.append(f"made {n_workers} {idle_timeout} {note}".strip())
        options = {"host": "127.0.0.1", "dashboard_address": None, "threads_per_worker": 1, "memory_limit": "256MiB"}
        kwargs = {"scheduler_kwargs": {"idle_timeout": str(idle_timeout)}}
        super().__init__(n_workers=n_workers, **options, **kwargs, **more)

    async def _close(self):
        events.append("closed")
        await super()._close()


class Slow(ProcessInterface):
    """A scheduler on a machine that never comes."""

    def __init__(self, **more):
        super().__init__()

    async def start(self):
        events.append("begun")
        await asyncio.sleep(3600)

    async def close(self):
        events.append("ended")
        await super().close()


class NeverStarts(SpecCluster):
    def __init__(self):
        super().__init__(scheduler={"cls": Slow})


class NoWorkers(LocalCluster):
    """A cluster whose Dask workers never come."""

    def __init__(self):
        super().__init__(n_workers=0, host="127.0.0.1", dashboard_address=None)

    def scale(self, n=0, **more):
        if n:
            events.append(f"scaled {n}")

    async def _close(self):
        events.append("closed")
        await super()._close()


class Broken:
    def __init__(self, region):
        raise RuntimeError(f"no such region: {region}")


def fixed():
    """A cluster whose Dask workers nobody can change."""
    return SpecCluster(scheduler={"cls": "distributed.Scheduler", "options": {"port": 0, "dashboard": False}})
