"""Which host the next Dask worker goes to."""

from __future__ import annotations

from collections import Counter


class Places:
    """Hosts, and what became of the Dask workers on them.

    Args:
        hosts: their names; one that stands there twice takes twice as many.
    """

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts
        self._running: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def take(self) -> str:
        """The host with the fewest Dask workers, and among those the one that has failed least often."""
        host = min(dict.fromkeys(self._hosts), key=self._burden)
        self._running[host] += 1
        return host

    def leave(self, host: str, *, failed: bool) -> None:
        """A Dask worker on that host has ended, or never came."""
        self._running[host] -= 1
        self._failed[host] += failed

    def _burden(self, host: str) -> tuple[float, int]:
        # A host that has failed is full until the others have failed as often.
        return (self._running[host] + self._failed[host]) / self._hosts.count(host), self._failed[host]
