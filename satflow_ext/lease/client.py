"""The client of the local stack's supervisor: take a lease, read a report, stop the stack, and start a missing supervisor."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Collection
from types import TracebackType

from satflow_ext.endpoints import Service, StackRecord, needed
from satflow_ext.errors import StackFailed
from satflow_ext.lease.connection import Hung, Line
from satflow_ext.lease.messages import Answer, Request, StackReport
from satflow_ext.lease.start import Starter, log_path
from satflow_ext.settings import Settings

SILENCE = 120.0
"""Seconds without a message from the supervisor, which sends one every ten seconds, after which the client gives up."""

LOOK = 0.2
"""Seconds between two checks for a cancellation."""

REPLY_SECONDS = 15.0
STOP_SECONDS = 60.0


class Lease:
    """A claim on the local stack, which runs at least until the lease is closed or its process ends.

    Args:
        record: addresses and credentials of the services.
        line: connection to the supervisor; None if the settings need no service of the local stack.
    """

    def __init__(self, record: StackRecord | None, line: Line | None) -> None:
        self._record = record
        self._line = line

    @property
    def record(self) -> StackRecord | None:
        """Addresses and credentials; None if no service of the local stack is needed."""
        return self._record

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_lost(self, timeout: float) -> bool:
        """Wait until the supervisor has ended; return whether it ended within `timeout` seconds."""
        if self._line is None:
            return False
        try:
            self._line.wait_closed(time.monotonic() + timeout)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Release the lease. The last release ends the stack, unless it was requested to stay."""
        if self._line is not None:
            self._line.close()


def acquire(
    settings: Settings,
    *,
    also: Collection[Service] = (),
    on_step: Callable[[str], None] | None = None,
    stay: bool = False,
    timeout: float | None = None,
    cancelled: threading.Event | None = None,
) -> Lease:
    """Take a lease on the local stack for the services that the settings need, and start the stack if necessary. Blocks.

    Args:
        settings: settings with the stack's folders and its services.
        also: additional services.
        on_step: callback that receives a text for each step of the start.
        stay: keep the stack running after its last lease, until `stop`.
        timeout: seconds to wait for the services to be ready, None for no limit.
        cancelled: event that another thread sets to stop waiting immediately.

    Raises:
        StackFailed: the stack did not start, with the reason and the path of its log; or waiting was cancelled.
    """
    services = tuple(sorted(needed(settings).union(also)))
    if not services:
        return Lease(None, None)
    tell = _each_once(on_step) if on_step else (lambda _step: None)
    patience = _Patience(timeout, cancelled or threading.Event())
    request = Request(verb="lease", needs=services, stay=stay)
    with Starter(settings) as starter:
        while patience.left():
            try:
                return _lease(Line(settings), request, tell, patience)
            except TimeoutError:
                break
            except (OSError, Hung):
                starter.start(tell)
            time.sleep(0.05)
    raise patience.exhausted(settings)


class _Patience:
    """The time limit of a wait, which continues as long as the supervisor reports progress.

    Args:
        seconds: maximum seconds to wait in any case, None for no limit.
        cancelled: event that another thread sets to stop waiting immediately.
    """

    def __init__(self, seconds: float | None, cancelled: threading.Event) -> None:
        self._seconds = seconds
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds
        self._heard = time.monotonic()
        self._step: str | None = None
        self._cancelled = cancelled

    def left(self) -> bool:
        """Return whether the wait may continue.

        Raises:
            StackFailed: the wait was cancelled.
        """
        if self._cancelled.is_set():
            raise StackFailed("Waiting for the local stack was cancelled.")
        return time.monotonic() < min(self._deadline, self._heard + SILENCE)

    def exhausted(self, settings: Settings) -> StackFailed:
        """Return the error for the user after the time limit."""
        fix = f"See {log_path(settings)}."
        if time.monotonic() < self._deadline:
            return StackFailed(f"The local stack's supervisor has not answered for {SILENCE:g} s.", fix=fix)
        step = f"; its last step was: {self._step}" if self._step else ""
        return StackFailed(f"The local stack was not ready after {self._seconds:g} s{step}.", fix=fix)

    def answer(self, line: Line) -> Answer:
        """Read the supervisor's next answer.

        Raises:
            StackFailed: the wait was cancelled.
            TimeoutError: no answer arrived in time.
            Hung: the supervisor closed the connection.
        """
        while self.left():
            with contextlib.suppress(TimeoutError):
                answer = line.answer(min(self._deadline, time.monotonic() + LOOK))
                self._heard, self._step = time.monotonic(), answer.step or self._step
                return answer
        raise TimeoutError


def have_started(
    settings: Settings,
    services: Collection[Service],
    *,
    on_step: Callable[[str], None] | None = None,
    timeout: float | None = None,
) -> StackRecord:
    """Start additional services of the running local stack without a lease, for processes that belong to the stack. Blocks.

    Raises:
        StackFailed: the stack does not run, or a service did not start; the message has the reason and the path of the log.
    """
    patience = _Patience(timeout, threading.Event())
    try:
        line = Line(settings)
        with contextlib.closing(line):
            request = Request(verb="start", needs=tuple(sorted(services)))
            line.send(request)
            return _record(line, on_step or (lambda _step: None), patience)
    except TimeoutError:
        raise patience.exhausted(settings) from None
    except (OSError, Hung):
        raise StackFailed("The local stack is not running.", fix="Start it with `satflow up`.") from None


def report(settings: Settings) -> StackReport | None:
    """Request the report of the local stack; return None if it does not run. Never starts anything."""
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
    """Stop the local stack regardless of its leases, wait until its processes have ended, and return whether one ran.

    Raises:
        StackFailed: the stack did not end in time.
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
        raise StackFailed(
            f"The local stack did not end within {STOP_SECONDS:g} s.", fix=f"See {log_path(settings)}."
        ) from None
    finally:
        line.close()
    return True


def _each_once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Wrap a callback so that it receives no step twice in a row, such as the first step of every new connection."""
    last: str | None = None

    def tell_new(step: str) -> None:
        nonlocal last
        if step != last:
            last = step
            tell(step)

    return tell_new


def _lease(line: Line, request: Request, tell: Callable[[str], None], patience: _Patience) -> Lease:
    try:
        line.send(request)
        return Lease(_record(line, tell, patience), line)
    except BaseException:
        line.close()
        raise


def _record(line: Line, tell: Callable[[str], None], patience: _Patience) -> StackRecord:
    while True:
        answer = patience.answer(line)
        if answer.record is not None:
            return answer.record
        _tell_or_raise(answer, tell)


def _tell_or_raise(answer: Answer, tell: Callable[[str], None]) -> None:
    if answer.failed is not None:
        raise StackFailed(f"The local stack did not start: {answer.failed}", fix=answer.fix or "Run `satflow doctor`.")
    if answer.step is not None:
        tell(answer.step)
