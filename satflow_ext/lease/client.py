"""The client of the local stack's supervisor: take a lease, read a report, stop the stack, and start a missing supervisor."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Collection
from types import TracebackType

from satflow_ext.endpoints import Service, StackRecord, list_needed_services
from satflow_ext.errors import StackFailed
from satflow_ext.lease.messages import Answer, ConnectionClosed, Request, StackReport, SupervisorConnection
from satflow_ext.lease.start import SupervisorStarter, log_path
from satflow_ext.settings import Settings

SUPERVISOR_TIMEOUT = 120.0
"""Seconds without a message from the supervisor, which sends one every ten seconds, after which the client gives up."""

CANCEL_CHECK_PAUSE = 0.2
"""Seconds between two checks for a cancellation."""

REPORT_TIMEOUT = 15.0
STOP_TIMEOUT = 60.0


class Lease:
    """A claim on the local stack, which runs at least until the lease is closed or its process ends.

    Args:
        record: addresses and credentials of the services.
        connection: connection to the supervisor; None if the settings need no service of the local stack.
    """

    def __init__(self, record: StackRecord | None, connection: SupervisorConnection | None) -> None:
        self._record = record
        self._connection = connection

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
        if self._connection is None:
            return False
        try:
            self._connection.wait_closed(time.monotonic() + timeout)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Release the lease. The last release ends the stack, unless it was requested to stay."""
        if self._connection is not None:
            self._connection.close()


def acquire_lease(
    settings: Settings,
    *,
    extra_services: Collection[Service] = (),
    on_step: Callable[[str], None] | None = None,
    stay: bool = False,
    timeout: float | None = None,
    cancelled: threading.Event | None = None,
) -> Lease:
    """Take a lease on the local stack for the services that the settings need, and start the stack if necessary. Blocks.

    Args:
        settings: settings with the stack's folders and its services.
        extra_services: additional services.
        on_step: callback that receives a text for each step of the start.
        stay: keep the stack running after its last lease, until `stop`.
        timeout: seconds to wait for the services to be ready, None for no limit.
        cancelled: event that another thread sets to stop waiting immediately.

    Raises:
        StackFailed: the stack did not start, with the reason and the path of its log; or waiting was cancelled.
    """
    services = tuple(sorted(list_needed_services(settings).union(extra_services)))
    if not services:
        return Lease(None, None)
    tell = _without_repeats(on_step) if on_step else (lambda _step: None)
    patience = _WaitLimit(timeout, cancelled or threading.Event())
    request = Request(verb="lease", needs=services, stay=stay)
    with SupervisorStarter(settings) as starter:
        while patience.may_continue():
            try:
                return _request_lease(SupervisorConnection(settings), request, tell, patience)
            except TimeoutError:
                break
            except (OSError, ConnectionClosed):
                starter.start_supervisor(tell)
            time.sleep(0.05)
    raise patience.timeout_error(settings)


class _WaitLimit:
    """The time limit of a wait, which continues as long as the supervisor reports progress.

    Args:
        seconds: maximum seconds to wait in any case, None for no limit.
        cancelled: event that another thread sets to stop waiting immediately.
    """

    def __init__(self, seconds: float | None, cancelled: threading.Event) -> None:
        self._seconds = seconds
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds
        self._last_answer_time = time.monotonic()
        self._step: str | None = None
        self._cancelled = cancelled

    def may_continue(self) -> bool:
        """Return whether the wait may continue.

        Raises:
            StackFailed: the wait was cancelled.
        """
        if self._cancelled.is_set():
            raise StackFailed("Waiting for the local stack was cancelled.")
        return time.monotonic() < min(self._deadline, self._last_answer_time + SUPERVISOR_TIMEOUT)

    def timeout_error(self, settings: Settings) -> StackFailed:
        """Return the error for the user after the time limit."""
        fix = f"See {log_path(settings)}."
        if time.monotonic() < self._deadline:
            return StackFailed(f"The local stack's supervisor has not answered for {SUPERVISOR_TIMEOUT:g} s.", fix=fix)
        step = f"; its last step was: {self._step}" if self._step else ""
        return StackFailed(f"The local stack was not ready after {self._seconds:g} s{step}.", fix=fix)

    def read_answer(self, connection: SupervisorConnection) -> Answer:
        """Read the supervisor's next answer.

        Raises:
            StackFailed: the wait was cancelled.
            TimeoutError: no answer arrived in time.
            ConnectionClosed: the supervisor closed the connection.
        """
        while self.may_continue():
            with contextlib.suppress(TimeoutError):
                answer = connection.read_answer(min(self._deadline, time.monotonic() + CANCEL_CHECK_PAUSE))
                self._last_answer_time, self._step = time.monotonic(), answer.step or self._step
                return answer
        raise TimeoutError


def start_services(
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
    patience = _WaitLimit(timeout, threading.Event())
    try:
        line = SupervisorConnection(settings)
        with contextlib.closing(line):
            request = Request(verb="start", needs=tuple(sorted(services)))
            line.send_request(request)
            return _read_record(line, on_step or (lambda _step: None), patience)
    except TimeoutError:
        raise patience.timeout_error(settings) from None
    except (OSError, ConnectionClosed):
        raise StackFailed("The local stack is not running.", fix="Start it with `satflow up`.") from None


def read_report(settings: Settings) -> StackReport | None:
    """Request the report of the local stack; return None if it does not run. Never starts anything."""
    try:
        line = SupervisorConnection(settings)
    except OSError:
        return None
    try:
        line.send_request(Request(verb="report"))
        return line.read_answer(time.monotonic() + REPORT_TIMEOUT).report
    except (ConnectionClosed, TimeoutError):
        return None
    finally:
        line.close()


def stop_stack(settings: Settings) -> bool:
    """Stop the local stack regardless of its leases, wait until its processes have ended, and return whether one ran.

    Raises:
        StackFailed: the stack did not end in time.
    """
    try:
        line = SupervisorConnection(settings)
    except OSError:
        return False
    try:
        line.send_request(Request(verb="stop"))
        line.wait_closed(time.monotonic() + STOP_TIMEOUT)
    except ConnectionClosed:
        return True
    except TimeoutError:
        raise StackFailed(
            f"The local stack did not end within {STOP_TIMEOUT:g} s.", fix=f"See {log_path(settings)}."
        ) from None
    finally:
        line.close()
    return True


def _without_repeats(on_step: Callable[[str], None]) -> Callable[[str], None]:
    """Wrap a callback so that it receives no step twice in a row, such as the first step of every new connection."""
    last: str | None = None

    def tell_new(step: str) -> None:
        nonlocal last
        if step != last:
            last = step
            on_step(step)

    return tell_new


def _request_lease(
    connection: SupervisorConnection, request: Request, on_step: Callable[[str], None], limit: _WaitLimit
) -> Lease:
    try:
        connection.send_request(request)
        return Lease(_read_record(connection, on_step, limit), connection)
    except BaseException:
        connection.close()
        raise


def _read_record(connection: SupervisorConnection, on_step: Callable[[str], None], limit: _WaitLimit) -> StackRecord:
    while True:
        answer = limit.read_answer(connection)
        if answer.record is not None:
            return answer.record
        _handle_answer(answer, on_step)


def _handle_answer(answer: Answer, on_step: Callable[[str], None]) -> None:
    if answer.failed is not None:
        raise StackFailed(f"The local stack did not start: {answer.failed}", fix=answer.fix or "Run `satflow doctor`.")
    if answer.step is not None:
        on_step(answer.step)
