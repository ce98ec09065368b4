"""Ask the local stack's supervisor for a lease, a report or its end, and start it when nobody listens."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from satflow_ext.endpoints import StackRecord, needed
from satflow_ext.errors import StackFailed
from satflow_ext.lease.line import Hung, Line
from satflow_ext.lease.start import Starter
from satflow_ext.lease.wire import Answer, Request, StackReport
from satflow_ext.settings import Settings

REPLY_SECONDS = 5.0
STOP_SECONDS = 15.0


class Lease:
    """A claim on the local stack: it runs at least until this is closed or its process ends.

    Args:
        record: addresses and credentials of the services.
        line: the connection; None where the settings leave nothing to the local stack.
    """

    def __init__(self, record: StackRecord | None, line: Line | None) -> None:
        self._record = record
        self._line = line

    @property
    def record(self) -> StackRecord | None:
        """Addresses and credentials, None where nothing of the local stack is needed."""
        return self._record

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_lost(self, timeout: float) -> bool:
        """Wait until the supervisor has gone; whether it has within `timeout` seconds."""
        if self._line is None:
            return False
        try:
            self._line.wait_closed(time.monotonic() + timeout)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Give the lease back. The last one ends the stack unless it was asked to stay."""
        if self._line is not None:
            self._line.close()


def acquire(
    settings: Settings, *, on_step: Callable[[str], None] | None = None, stay: bool = False, timeout: float = 90
) -> Lease:
    """Take a lease on what the settings leave to the local stack, and start that when it does not run. Blocks.

    Args:
        settings: where the stack lives and what it must run.
        on_step: told in words what is being waited for.
        stay: let the stack go on after its last lease, until `stop`.
        timeout: seconds to wait for everything to be ready.

    Raises:
        StackFailed: it did not start; the message says why and where its log is.
    """
    services = tuple(sorted(needed(settings)))
    if not services:
        return Lease(None, None)
    tell = on_step or (lambda _step: None)
    deadline = time.monotonic() + timeout
    request = Request(verb="lease", needs=services, stay=stay)
    with Starter(settings) as starter:
        while time.monotonic() < deadline:
            try:
                return _lease(Line(settings), request, tell, deadline)
            except (OSError, Hung):
                starter.start(tell)
            time.sleep(0.05)
    raise _too_slow(settings, timeout)


def report(settings: Settings) -> StackReport | None:
    """What the local stack says of itself, None when it does not run. Never starts anything."""
    try:
        line = Line(settings)
    except OSError:
        return None
    try:
        line.send(Request(verb="report"))
        return line.answer(time.monotonic() + REPLY_SECONDS).report
    except (Hung, TimeoutError):
        return None
    finally:
        line.close()


def stop(settings: Settings) -> bool:
    """End the local stack, whoever holds leases; whether one ran. Returns when all of its processes have ended.

    Raises:
        StackFailed: it did not end.
    """
    try:
        line = Line(settings)
    except OSError:
        return False
    try:
        line.send(Request(verb="stop"))
        line.wait_closed(time.monotonic() + STOP_SECONDS)
    except Hung:
        return True
    except TimeoutError:
        raise StackFailed("The local stack does not end.", fix=f"See {log_path(settings)}.") from None
    finally:
        line.close()
    return True


def log_path(settings: Settings) -> Path:
    """The supervisor's own log."""
    return settings.state_dir / "logs" / "stack.log"


def _lease(line: Line, request: Request, tell: Callable[[str], None], deadline: float) -> Lease:
    try:
        line.send(request)
        while True:
            answer = line.answer(deadline)
            if answer.record is not None:
                return Lease(answer.record, line)
            _tell_or_raise(answer, tell)
    except BaseException:
        line.close()
        raise


def _tell_or_raise(answer: Answer, tell: Callable[[str], None]) -> None:
    if answer.failed is not None:
        raise StackFailed(f"The local stack did not start: {answer.failed}", fix="Run `satflow doctor`.")
    if answer.step is not None:
        tell(answer.step)


def _too_slow(settings: Settings, timeout: float) -> StackFailed:
    return StackFailed(f"The local stack was not ready after {timeout:g} s.", fix=f"See {log_path(settings)}.")
