"""Progress of a starting service: the stack waits while the service makes progress, and gives up when it stalls."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

STALL_TIMEOUT = 60.0
"""Seconds without progress after which a start has failed. A busy machine slows progress but does not stop it."""

MIN_CPU_SECONDS = 0.2
"""Seconds of processor time that count as progress."""


class StartProgress:
    """Progress of a starting process, measured by its CPU time and the size of its log.

    Args:
        pid: process id.
        log: log file of the process.
    """

    def __init__(self, pid: int, log: Path) -> None:
        self._pid = pid
        self._log = log
        self._last_cpu_time, self._last_log_size = 0.0, 0
        self.reset()

    def reset(self) -> None:
        """Measure from now on, such as after the process waited for another one."""
        self._last_cpu_time, self._last_log_size = self._processor_time(), self._log_size()
        self._last_progress = time.monotonic()

    def has_stalled(self) -> bool:
        """Return whether the process made no progress for `STALL_TIMEOUT` seconds."""
        if self._processor_time() - self._last_cpu_time >= MIN_CPU_SECONDS or self._log_size() != self._last_log_size:
            self.reset()
        return time.monotonic() - self._last_progress > STALL_TIMEOUT

    def _processor_time(self) -> float:
        with contextlib.suppress(psutil.Error):
            return float(sum(psutil.Process(self._pid).cpu_times()[:4]))  # including children that it has reaped
        return self._last_cpu_time

    def _log_size(self) -> int:
        with contextlib.suppress(OSError):
            return self._log.stat().st_size
        return self._last_log_size


def format_duration(seconds: float) -> str:
    """Format whole seconds, with minutes from one minute upward: 12 s, 3 min 5 s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
