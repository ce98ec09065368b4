"""Ask the local stack's supervisor for a lease, a report or its end, and start it when nobody listens."""

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
"""Seconds without a sign of life from the supervisor, which gives one each ten, after which it is not waited for."""

LOOK = 0.2
"""Seconds between two looks whether somebody has given up waiting."""

REPLY_SECONDS = 15.0
STOP_SECONDS = 60.0


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
    settings: Settings,
    *,
    also: Collection[Service] = (),
    on_step: Callable[[str], None] | None = None,
    stay: bool = False,
    timeout: float | None = None,
    cancelled: threading.Event | None = None,
) -> Lease:
    """Take a lease on what the settings leave to the local stack, and start that when it does not run. Blocks.

    Args:
        settings: where the stack lives and what it must run.
        also: services that it must run besides.
        on_step: told in words what is being waited for.
        stay: let the stack go on after its last lease, until `stop`.
        timeout: seconds to wait for everything to be ready.
        cancelled: set by another thread that wants nothing of it any more; then this gives up at once.

    Raises:
        StackFailed: it did not start; the message says why and where its log is. Or it was given up.
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
    """How long the stack is waited for: as long as its supervisor shows that the start goes on.

    Args:
        seconds: after which it is given up nevertheless, None for no limit.
        cancelled: set by another thread to give up at once.
    """

    def __init__(self, seconds: float | None, cancelled: threading.Event) -> None:
        self._seconds = seconds
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds
        self._heard = time.monotonic()
        self._step: str | None = None
        self._cancelled = cancelled

    def left(self) -> bool:
        """Whether there is any left.

        Raises:
            StackFailed: it was cancelled.
        """
        if self._cancelled.is_set():
            raise StackFailed("Waiting for the local stack was given up.")
        return time.monotonic() < min(self._deadline, self._heard + SILENCE)

    def exhausted(self, settings: Settings) -> StackFailed:
        """The error for the user, once there is none left."""
        fix = f"See {log_path(settings)}."
        if time.monotonic() < self._deadline:
            return StackFailed(f"The local stack's supervisor has not answered for {SILENCE:g} s.", fix=fix)
        step = f", and was at: {self._step}" if self._step else ""
        return StackFailed(f"The local stack was not ready after {self._seconds:g} s{step}.", fix=fix)

    def answer(self, line: Line) -> Answer:
        """The supervisor's next answer.

        Raises:
            StackFailed: it was cancelled.
            TimeoutError: none came in time.
            Hung: the supervisor has gone.
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
    """Let the local stack that runs start services besides, without a lease: what belongs to the stack must not keep it. Blocks.

    Raises:
        StackFailed: it does not run, or a service did not start; the message says why and where its log is.
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
        raise StackFailed("The local stack does not run.", fix="Start it with `satflow up`.") from None


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


def _each_once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """The same without repetitions, such as the step that every new connection is told first."""
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
