"""The supervisor: clients take leases over a unix socket, services run while a lease exists, and the stack ends with the last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Collection, Coroutine, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import httpx
from pydantic import ValidationError

from satflow_ext import atomic_files, scratch
from satflow_ext.disk_room import check_free_space
from satflow_ext.endpoints import Service, StackRecord, record_path
from satflow_ext.errors import DiskFull, SatflowError, SettingsWrong
from satflow_ext.lease.messages import Answer, Request, StackReport
from satflow_ext.lease.stack_status import failure_path
from satflow_ext.run_logs.log_api import LocalLogApi
from satflow_ext.run_logs.spool import spool_folder
from satflow_ext.run_logs.upload import LogUploader
from satflow_ext.settings import Settings, load_settings
from satflow_ext.stack import background_jobs, missed_runs, service_environment
from satflow_ext.stack.orphaned_runs import PROCESS_KILLED, end_runs, has_process, parse_pid
from satflow_ext.stack.prefect_calls import Credential, FlowRun, PrefectCalls
from satflow_ext.stack.services import StackServices
from satflow_ext.stack.start_progress import format_duration

UNCLAIMED_TIMEOUT = 30.0
"""Seconds after which a supervisor without any lease exits."""

LATECOMER_TIMEOUT = 2.0
"""Seconds that other waiting clients have to connect after the starter has ended."""

PROGRESS_PAUSE = 10.0
"""Seconds between two progress messages to clients that wait for a start."""

SWEEP_PAUSE = 600.0
"""Seconds between two removals of files that killed flow runs left."""

UNINSTALL_PAUSE = 20.0
"""Seconds between two checks that this package is still installed. An upgrade removes it for less than that."""

STOPPED_EARLY = Answer(failed="it was stopped during its start.")

logger = logging.getLogger(__name__)


class Supervisor:
    """One stack from its first lease to its end.

    Args:
        settings: settings of the stack.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._services = StackServices(settings, self._set_step)
        self._leases: set[asyncio.StreamWriter] = set()
        self._waiting_clients: set[asyncio.StreamWriter] = set()
        self._start_lock = asyncio.Lock()
        self._stop_requested = asyncio.Event()
        self._job_tasks: list[asyncio.Task[None]] = []
        self._log_upload: LogUploadThread | None = None
        self._stays = False
        self._state: Literal["starting", "ready", "failed"] = "starting"
        self._step: str | None = None
        self._step_begun = time.monotonic()
        self._written_record: StackRecord | None = None
        self._started = datetime.now(timezone.utc)

    async def run(self, server: asyncio.Server) -> None:
        """Serve until the last lease is released or a client requests the end, then stop the stack."""
        unclaimed = asyncio.get_running_loop().call_later(UNCLAIMED_TIMEOUT, self._end_if_unclaimed)
        periodic = (self._sweep_periodically(), self._send_step_periodically(), self._stop_if_uninstalled())
        beside = [asyncio.create_task(each) for each in periodic]
        await self._stop_requested.wait()
        async with self._start_lock:  # a running start has been cancelled: no process may appear after the end
            server.close()
        unclaimed.cancel()
        for each in beside:
            each.cancel()
        for each in self._job_tasks:
            each.cancel()
        record_path(self._settings).unlink(missing_ok=True)
        await self._services.end_services()
        await asyncio.gather(*self._job_tasks, return_exceptions=True)
        if self._log_upload is not None:
            self._log_upload.stop()
        await self._sweep_scratch_folders()

    async def handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry out the request of one connection."""
        with contextlib.suppress(ConnectionError, ValidationError, asyncio.CancelledError):  # cancelled: the loop ends
            request = Request.model_validate_json(await reader.readline())
            if request.verb == "report":
                await _send_answer(writer, Answer(report=await self._build_report_with_disks()))
            elif request.verb == "stop":
                self.stop()
                await self._wait_closed(reader)
            elif request.verb == "start" and not self._stop_requested.is_set():
                await _send_answer(writer, await self._start_and_answer(request, writer))
            elif (
                not self._stop_requested.is_set()
            ):  # else close without an answer, and the client starts the next stack
                await self._hold_lease(request, reader, writer)
        writer.close()

    def handle_starter_end(self) -> None:
        """Handle the end of the starter, which holds a lease by now or was killed before it could take one."""
        asyncio.get_running_loop().call_later(LATECOMER_TIMEOUT, self._end_if_unclaimed)

    def stop(self) -> None:
        """Stop the stack regardless of its leases."""
        self._stop_requested.set()

    async def _hold_lease(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the services running for this connection until it closes."""
        self._leases.add(writer)
        gone = asyncio.create_task(self._wait_closed(reader))
        gone.add_done_callback(lambda _: self._release_lease(writer))  # also while the services are starting
        try:
            await _send_answer(writer, await self._start_and_answer(request, writer))
            await gone
        finally:
            gone.cancel()
            self._release_lease(writer)

    def _release_lease(self, writer: asyncio.StreamWriter) -> None:
        """Release a lease, and stop the stack if it was the last one."""
        self._leases.discard(writer)
        if not self._leases and not self._stays:
            self.stop()

    async def _start_and_answer(self, request: Request, writer: asyncio.StreamWriter) -> Answer:
        self._waiting_clients.add(writer)
        if self._start_lock.locked() and self._step is not None:  # otherwise the next step sends the first message
            writer.write(self._encode_step())
        try:
            async with self._start_lock:
                await self._start_services(request.needs)
                # A client that has stopped waiting must not make the stack stay.
                stay = request.stay and writer in self._leases
                return STOPPED_EARLY if self._stop_requested.is_set() else await self._finish_start(stay=stay)
        except SatflowError as error:
            if request.verb == "start" and not self._stop_requested.is_set():  # the running services are not affected
                return Answer(failed=error.message, fix=error.fix)
            return self._fail_start(error.message, error.fix)
        except Exception as error:  # the outermost level: waiting clients must get an answer
            logger.exception("The services of the local stack did not start.")
            return self._fail_start(f"{type(error).__name__}: {error}")
        finally:
            self._waiting_clients.discard(writer)

    async def _finish_start(self, *, stay: bool) -> Answer:
        """Write the stack's record to its file, for readers without a lease."""
        self._stays = self._stays or stay
        self._state, self._step = "ready", None
        failure_path(self._settings).unlink(missing_ok=True)
        record = self._build_record()
        if record != self._written_record:  # otherwise a full disk would fail clients that need no new service
            await asyncio.to_thread(
                atomic_files.write_atomically, record_path(self._settings), record.model_dump_json().encode()
            )
            self._written_record = record
        if self._services.credential is not None and not self._job_tasks:
            self._job_tasks = [
                asyncio.create_task(each) for each in self._list_background_jobs(self._services.credential)
            ]
        if self._services.credential is not None and self._log_upload is None:
            self._log_upload = LogUploadThread(self._settings, self._services.credential)
        return Answer(record=record)

    def _list_background_jobs(self, credential: Credential) -> list[Coroutine[Any, Any, None]]:
        """Return the background jobs that run while there is a Prefect server."""
        doing = [background_jobs.run_background_jobs(self._settings)]
        if (
            service_environment.DATABASE_VARIABLE not in os.environ
        ):  # a shared database also contains runs of other machines
            doing.append(watch_lost_runs(credential, service_environment.stack_mark(self._settings)))
            doing.append(missed_runs.watch_missed_runs(self._settings, credential))
        return doing

    async def _start_services(self, needs: Collection[Service]) -> None:
        """Start the needed services, unless the stack is stopped first.

        Raises:
            StackFailed: a service did not start.
        """
        starting = asyncio.create_task(self._services.start_services(needs))
        over = asyncio.create_task(self._stop_requested.wait())
        await asyncio.wait([starting, over], return_when=asyncio.FIRST_COMPLETED)
        for task in (over, starting):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting

    def _fail_start(self, reason: str, fix: str | None = None) -> Answer:
        if self._stop_requested.is_set():
            return STOPPED_EARLY
        logger.error("%s", reason)
        self._state, self._step = "failed", f"{reason} {fix}" if fix else reason
        with contextlib.suppress(OSError):  # a full disk may be the reason
            atomic_files.write_atomically(failure_path(self._settings), self._step.encode())
        return Answer(failed=reason, fix=fix)

    def _build_record(self) -> StackRecord:
        credential = self._services.credential
        return StackRecord(
            pid=os.getpid(),
            prefect_url=credential.url if credential else None,
            prefect_auth=credential.auth if credential else None,
            store_url=self._services.store_url,
            store_token=self._services.store_token,
            gateway_url=self._services.gateway_url,
            gateway_schedulers=self._services.gateway_schedulers,
            gateway_password=self._services.gateway_password,
            stays=self._stays,
        )

    def _build_report(self) -> StackReport:
        services = self._services.build_reports()
        broken = next((each for each in services if each.state == "failed"), None)
        return StackReport(
            pid=os.getpid(),
            started=self._started,
            state="failed" if broken else self._state,
            step=f"{broken.name} does not run; see {broken.log}" if broken else self._format_step(),
            stays=self._stays,
            leases=len(self._leases),
            services=services,
            stores=self._read_store_marks(),
        )

    async def _build_report_with_disks(self) -> StackReport:
        """Return the report; a full disk counts as a failure, because no flow can be registered and no run starts."""
        report = self._build_report()
        try:
            await asyncio.to_thread(check_free_space, (self._settings.state_dir, self._settings.runtime_dir))
        except DiskFull as error:
            return report.model_copy(update={"state": "failed", "step": str(error)})
        return report

    def _read_store_marks(self) -> dict[str, str]:
        """Return the marks of the stores that flow runs can read now: each run reads the settings file when it starts."""
        with contextlib.suppress(SettingsWrong):
            return service_environment.read_store_marks(os.environ, load_settings(), self._build_record())
        return {}

    def _set_step(self, step: str) -> None:
        """Report the current step to all waiting clients."""
        logger.info("%s", step)
        self._step, self._step_begun = step, time.monotonic()
        self._send_step()

    def _send_step(self) -> None:
        line = self._encode_step()
        for writer in self._waiting_clients:
            writer.write(line)

    def _encode_step(self) -> bytes:
        return Answer(step=self._format_step()).model_dump_json().encode() + b"\n"

    def _format_step(self) -> str | None:
        """Return the current step, with its duration after the first second."""
        elapsed = time.monotonic() - self._step_begun
        if self._step is None or self._state == "failed" or elapsed < 1:
            return self._step
        return f"{self._step} ({format_duration(elapsed)})"

    async def _send_step_periodically(self) -> None:
        """Repeat the current step to waiting clients, which give up on a silent supervisor."""
        while True:
            await asyncio.sleep(PROGRESS_PAUSE)
            if self._waiting_clients:
                self._send_step()

    async def _sweep_periodically(self) -> None:
        """Remove leftover files at intervals: a stack that stays may run for months."""
        while True:
            await self._sweep_scratch_folders()
            await asyncio.sleep(SWEEP_PAUSE)

    async def _stop_if_uninstalled(self) -> None:
        """Stop the stack if two checks in a row do not find this package, because no command is left that could stop it."""
        missing = 0
        while missing < 2:
            await asyncio.sleep(UNINSTALL_PAUSE)
            missing = 0 if Path(__file__).exists() else missing + 1
        logger.warning("SatFlow was uninstalled, so its stack stops. Its data stays in %s.", self._settings.state_dir)
        self.stop()

    async def _sweep_scratch_folders(self) -> None:
        """Remove scratch folders that killed flow runs left."""
        await asyncio.to_thread(scratch.remove_orphaned_folders, self._settings)

    def _end_if_unclaimed(self) -> None:
        if not self._leases and not self._stays:
            self.stop()

    async def _wait_closed(self, reader: asyncio.StreamReader) -> None:
        """Wait until the client closes the connection; further input is ignored."""
        with contextlib.suppress(ConnectionError):
            while await reader.read(4096):
                pass


async def _send_answer(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(answer.model_dump_json().encode() + b"\n")
    await writer.drain()


class LogUploadThread:
    """A thread that uploads the log lines of runs on this machine, including lines that earlier runs left in the spool.

    It continues when runs or the Prefect server are killed.

    Args:
        settings: settings of the stack, with the folder of the spool.
        credential: credential of the Prefect server.
    """

    def __init__(self, settings: Settings, credential: Credential) -> None:
        self._stop = threading.Event()
        uploader = LogUploader(spool_folder(settings), LocalLogApi(credential.url, credential.auth))
        self._thread = threading.Thread(target=uploader.run, args=(self._stop,), name="log-upload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current request. The next stack uploads the remaining lines."""
        self._stop.set()


CHECK_PAUSE = 20.0
"""Seconds between two checks. A run is ended at the second check; if it has a Prefect worker, that reports its end earlier."""


async def watch_lost_runs(credential: Credential, mark: str, *, pause: float = CHECK_PAUSE) -> None:
    """End lost runs until cancelled.

    Args:
        credential: credential of the stack's own Prefect server.
        mark: mark of the stack's processes.
        pause: seconds between two checks.
    """
    suspects: frozenset[str] = frozenset()
    while True:
        await asyncio.sleep(pause)
        try:
            suspects = await _check_lost_runs(credential, mark, suspects)
        except httpx.HTTPError as error:  # the Prefect server is restarting
            logger.warning("The check for lost runs failed and will be repeated: %s", error or type(error).__name__)


async def _check_lost_runs(credential: Credential, mark: str, suspects: frozenset[str]) -> frozenset[str]:
    async with PrefectCalls(credential) as calls:
        runs = await calls.read_unfinished_runs()
        lost = await asyncio.to_thread(_select_lost_runs, runs, mark)
        await end_runs(calls, [run for run in lost if run.id in suspects], PROCESS_KILLED)
    return frozenset(run.id for run in lost)


def _select_lost_runs(runs: Sequence[FlowRun], mark: str) -> list[FlowRun]:
    """Return the runs whose process has ended; a run of the work pool has none before its Prefect worker has started it."""
    started = [run for run in runs if run.is_in_kernel or parse_pid(run) is not None]
    return [run for run in started if not has_process(run, mark)]
