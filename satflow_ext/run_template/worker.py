"""A Prefect worker whose flow runs are forks of a template process: `prefect worker start --type satflow --pool POOL`.

It is Prefect's process worker, with three differences. The process of a run with the worker's own interpreter asks the template
for a fork, and becomes an ordinary flow run without one. The worker polls as soon as it hears of a run, besides its interval. And
on the local stack, its own log lines of a run are in a spool file, as the run's are: the file is complete when the worker has
nothing more to log, so that readers of the log know that they have all of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from satflow_ext.endpoints import WORKER_TYPE
from satflow_ext.fork_requests import start_run
from satflow_ext.fork_requests.start_run import ENGINE_COMMAND
from satflow_ext.lease.start import STACK_API
from satflow_ext.run_logs.capture import capture_logs, close_run_files
from satflow_ext.run_template.template_process import Templates
from satflow_ext.versions.pin import pin_of

if TYPE_CHECKING:
    import anyio.abc
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.events import Event

SECOND_POLL_PAUSE = 0.5
"""Seconds until the second poll if the first one after a hint found no run: the server may report a run before it lists it."""

TEMPLATE_CHECK_PERIOD = 0.5
"""Seconds between two checks whether the template for flow runs has imported everything."""

RUN_EVENT_PREFIX = "prefect.flow-run."
"""Beginning of the names of events about states of flow runs."""

EVENT_RECONNECT_PAUSE = 5.0
"""Seconds until the next attempt to connect to the server's events."""

log = logging.getLogger(__name__)


class SatflowJobConfiguration(ProcessJobConfiguration):
    """The configuration of a run: without a command, flows that SatFlow registered are run by Prefect's engine alone.

    Prefect's process worker fetches such a flow in a process of its own first. SatFlow's pull step does not need that.
    """

    def prepare_for_flow_run(
        self, flow_run: FlowRun, deployment: DeploymentResponse | None = None, *arguments: Any, **options: Any
    ) -> None:
        """Choose the command."""
        if self.command is None and deployment is not None and pin_of(deployment) is not None:
            self.command = shlex.join(ENGINE_COMMAND)
        super().prepare_for_flow_run(flow_run, deployment, *arguments, **options)


class SatflowWorker(ProcessWorker):
    """A process worker that forks flow runs, and polls at once when it hears of one."""

    type = WORKER_TYPE
    _display_name = "SatFlow"
    _description = (
        "Execute flow runs as processes on a worker. They are forks of a process that has already imported Prefect."
    )
    job_configuration = SatflowJobConfiguration
    _templates: Templates | None = None
    _tasks: tuple[asyncio.Task[None], ...] = ()

    async def setup(self) -> None:
        """Start the templates and listen for events as well."""
        if STACK_API in os.environ:
            capture_logs()
        await super().setup()
        self._open_logs: Counter[UUID] = Counter()
        self._hinted = asyncio.Event()
        self._poll_lock = asyncio.Lock()
        if start_run.is_supported():
            self._templates = Templates()
            if STACK_API in os.environ:
                await asyncio.to_thread(self._templates.publish)
        background = listen_for_scheduled_runs(self._hinted.set), self._poll_after_hints(), self._start_for_dask()
        self._tasks = tuple(map(asyncio.create_task, background))

    async def teardown(self, *exc_info: Any) -> None:
        """End the templates and listening as well; flow runs go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._templates is not None:
            self._templates.close()
            self._templates = None
        await super().teardown(*exc_info)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run, and return its result when it has ended."""
        if self._templates is not None and configuration.command is not None:
            self._templates.restart_for_runs()
            command = choose_command(configuration.command, self._templates.run_socket)
            configuration = configuration.model_copy(update={"command": command})
        try:
            return await super().run(flow_run, configuration, task_status)
        finally:
            self._hinted.set()  # there is room for another run
            if self._templates is not None:
                await asyncio.to_thread(self._templates.start_for_dask)  # the run may be the first one that needs it

    async def _submit_run(self, flow_run: FlowRun) -> None:
        with self._keep_log_open(flow_run.id):
            await super()._submit_run(flow_run)

    async def _submit_run_and_capture_errors(self, flow_run: FlowRun, *arguments: Any, **options: Any) -> Any:
        with self._keep_log_open(flow_run.id):
            return await super()._submit_run_and_capture_errors(flow_run, *arguments, **options)

    @contextmanager
    def _keep_log_open(self, run_id: UUID) -> Iterator[None]:
        """Close the worker's log file of a run after the last one of the nested or overlapping blocks for it."""
        self._open_logs[run_id] += 1
        try:
            yield
        finally:
            self._open_logs[run_id] -= 1
            if not self._open_logs[run_id]:
                del self._open_logs[run_id]
                close_run_files(str(run_id))

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Poll. One poll at a time: of two, the later one could submit a run that the earlier one has submitted."""
        async with self._poll_lock:
            return await super().get_and_submit_flow_runs()

    async def _start_for_dask(self) -> None:
        """Start the template for Dask workers after the other one, which each flow run needs."""
        while self._templates is not None and not self._templates.run_socket.exists():  # noqa: ASYNC110  # of another process
            await asyncio.sleep(TEMPLATE_CHECK_PERIOD)
        if self._templates is not None:
            await asyncio.to_thread(self._templates.start_for_dask)

    async def _poll_after_hints(self) -> None:
        while await self._hinted.wait():
            self._hinted.clear()
            with suppress(Exception):  # the worker's own polling reports failures
                if not await self.get_and_submit_flow_runs():
                    await asyncio.sleep(SECOND_POLL_PAUSE)
                    await self.get_and_submit_flow_runs()


def choose_command(command: str, socket: Path) -> str:
    """Return the command that requests a fork, if this command runs Prefect's engine with this interpreter.

    Args:
        command: command of the flow run.
        socket: path of the template's socket.
    """
    if shlex.split(command) != ENGINE_COMMAND:
        return command
    return shlex.join([sys.executable, "-I", "-S", start_run.__file__, str(socket)])


async def listen_for_scheduled_runs(on_scheduled: Callable[[], object]) -> None:
    """Call `on_scheduled` for each flow run that becomes Scheduled, in any work pool, and when it begins to listen to events.

    Runs until cancelled. Events may be lost, and some servers do not send any: the caller must poll as well.

    Args:
        on_scheduled: called in the event loop; must be quick.
    """
    states = EventFilter(event=EventNameFilter(prefix=[RUN_EVENT_PREFIX]))
    while True:
        try:
            async with get_events_subscriber(filter=states, reconnection_attempts=0) as events:
                on_scheduled()
                async for event in events:
                    if is_scheduled(event):
                        on_scheduled()
        except Exception as error:  # Prefect raises plain exceptions for a failed authentication
            log.debug("No events of flow runs: %s", error)
        await asyncio.sleep(EVENT_RECONNECT_PAUSE)


def is_scheduled(event: Event) -> bool:
    """Return whether the event reports that a flow run waits for a Prefect worker."""
    state = event.payload.get("validated_state")
    return isinstance(state, dict) and state.get("type") == "SCHEDULED"
