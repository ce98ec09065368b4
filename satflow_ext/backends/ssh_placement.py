"""Placement of Dask workers on hosts."""

from __future__ import annotations

from collections import Counter


class HostPlacement:
    """Hosts with the numbers of running and failed Dask workers.

    Args:
        hosts: names of the hosts; a host that is listed twice gets twice as many Dask workers.
    """

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts
        self._running: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def reserve_host(self) -> str:
        """Reserve the host with the fewest Dask workers, and of those the one with the fewest failures."""
        host = min(dict.fromkeys(self._hosts), key=self._host_load)
        self._running[host] += 1
        return host

    def release_host(self, host: str, *, failed: bool) -> None:
        """Release the place of a Dask worker that ended or never started."""
        self._running[host] -= 1
        self._failed[host] += failed

    def _host_load(self, host: str) -> tuple[float, int]:
        # A failed Dask worker occupies its place until the other hosts have failed as often.
        return (self._running[host] + self._failed[host]) / self._hosts.count(host), self._failed[host]
