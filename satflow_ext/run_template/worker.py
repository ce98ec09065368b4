"""A Prefect worker whose flow runs are forks of a template process: `prefect worker start --type satflow --pool POOL`.

It is Prefect's process worker, with four differences. The process of a run with the worker's own interpreter asks the template
for a fork, and becomes an ordinary flow run without one. The worker polls as soon as it hears of a run, besides its interval. It
applies the memory limit of a run. And on the local stack, its own log lines of a run are in a spool file, as the run's are: the
file is complete when the worker has nothing more to log, so that readers of the log know that they have all of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.workers.process import ProcessJobConfiguration, ProcessVariables, ProcessWorker, ProcessWorkerResult
from pydantic import Field, WithJsonSchema

from satflow_ext.endpoints import WORKER_TYPE
from satflow_ext.errors import SettingsWrong
from satflow_ext.fork_requests import start_run
from satflow_ext.fork_requests.start_run import ENGINE_COMMAND, MEMORY_LIMIT, WITHOUT_FORK
from satflow_ext.job_variables.template import MEMORY_LIMIT_VARIABLE, Template, resource_variables
from satflow_ext.lease.start import STACK_API
from satflow_ext.run_logs.capture import capture_logs, close_run_files
from satflow_ext.run_template.template_process import SpareInterpreters, Templates
from satflow_ext.settings import GIB, load_settings
from satflow_ext.versions.pin import pin_of

if TYPE_CHECKING:
    import anyio.abc
    from prefect.client.schemas.objects import FlowRun, State
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

LEAST_MEMORY = 0.25
"""GiB that a flow run needs at least, of which Prefect takes half."""

SIGNALS_OF_FAILED_ALLOCATIONS = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS)
"""Signals by which libraries end their process if it gets no more memory."""

NEGATIVE_STATUS = re.compile(r"status code:? -(\d+)")
"""The exit status of a process that a signal has ended, in messages of Prefect."""

log = logging.getLogger(__name__)

MemoryLimit = Annotated[
    float | None,
    Field(
        title="Memory Limit (GiB)",
        description="The memory that each process of a flow run may use. Prefect workers of other types ignore it.",
        ge=LEAST_MEMORY,
    ),
    WithJsonSchema({"type": "number", "minimum": LEAST_MEMORY}),
]


START_COMMAND = [sys.executable, "-I", "-S", start_run.__file__]
"""Starts a run; see `start_run` for its arguments."""


# Without a docstring, which would become part of the work pool's schema.
class SatflowVariables(ProcessVariables):  # noqa: D101
    memory_limit: MemoryLimit = None


class SatflowJobConfiguration(ProcessJobConfiguration):
    """The configuration of a run: without a command, flows that SatFlow registered are run by Prefect's engine alone.

    Prefect's process worker fetches such a flow in a process of its own first. SatFlow's pull step does not need that.
    """

    memory_limit: MemoryLimit = None

    def prepare_for_flow_run(
        self, flow_run: FlowRun, deployment: DeploymentResponse | None = None, *arguments: Any, **options: Any
    ) -> None:
        """Choose the command."""
        is_registered = deployment is not None and pin_of(deployment) is not None
        if self.command is None and (is_registered or self.memory_limit is not None):
            self.command = shlex.join(ENGINE_COMMAND)
        super().prepare_for_flow_run(flow_run, deployment, *arguments, **options)
        self.env.pop(MEMORY_LIMIT, None)
        if self.memory_limit is not None:
            self.env[MEMORY_LIMIT] = str(round(self.memory_limit * GIB))


class SatflowWorker(ProcessWorker):
    """A process worker that forks flow runs, and polls at once when it hears of one."""

    type = WORKER_TYPE
    _display_name = "SatFlow"
    _description = (
        "Execute flow runs as processes on a worker. They are forks of a process that has already imported Prefect."
    )
    job_configuration = SatflowJobConfiguration
    job_configuration_variables = SatflowVariables  # type: ignore[assignment]  # Prefect declares only its own type
    _templates: Templates | None = None
    _spares: SpareInterpreters | None = None
    _tasks: tuple[asyncio.Task[None], ...] = ()

    async def setup(self) -> None:
        """Start the templates and listen for events as well."""
        if STACK_API in os.environ:
            capture_logs()
        explain_crashes()
        await super().setup()
        if STACK_API in os.environ:
            await self._complete_template()
        self._open_logs: Counter[UUID] = Counter()
        self._hinted = asyncio.Event()
        self._poll_lock = asyncio.Lock()
        await asyncio.to_thread(self._start_templates)
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
        if self._spares is not None:
            self._spares.close()
            self._spares = None
        await super().teardown(*exc_info)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run a flow run, and return its result when it has ended."""
        configuration = self._choose_start(configuration)
        limit = read_memory_limit(configuration)
        if limit is not None:
            _memory_limits[flow_run.id] = limit
            self._log_memory_limit(flow_run, limit)
        try:
            return await super().run(flow_run, configuration, task_status)
        finally:
            _memory_limits.pop(flow_run.id, None)
            self._hinted.set()  # there is room for another run
            if self._templates is not None:
                await asyncio.to_thread(self._templates.start_for_dask)  # the run may be the first one that needs it

    def _choose_start(self, configuration: ProcessJobConfiguration) -> ProcessJobConfiguration:
        """Return the configuration with the command that starts the run: as a fork, if it can be one."""
        command = configuration.command
        if command is None:
            return configuration
        prepared = self._templates or self._spares
        if prepared is not None:
            command = choose_command(command, prepared.take_socket)
        if command == configuration.command and read_memory_limit(configuration) is not None:
            command = shlex.join([*START_COMMAND, WITHOUT_FORK, *shlex.split(command)])
        return configuration.model_copy(update={"command": command})

    def _start_templates(self) -> None:
        """Start what the setting `run_start` needs."""
        way = start_run.choose_run_start(read_run_start())
        if way == "spare":
            self._spares = SpareInterpreters()
        elif way == "fork":
            self._templates = Templates()
            if STACK_API in os.environ:
                self._templates.publish()

    def _log_memory_limit(self, flow_run: FlowRun, limit: float) -> None:
        logger = self.get_flow_run_logger(flow_run)
        if start_run.can_limit_memory():
            logger.info(f"Each process of this run may use {limit:g} GiB of memory (RLIMIT_DATA).")
        else:
            logger.warning(f"The memory of this run is not limited to {limit:g} GiB: this system cannot limit it.")

    async def _complete_template(self) -> None:
        """Add the memory limit to the job variables of the local stack's work pool, if an earlier SatFlow has created it."""
        if self._work_pool is None:  # Prefect does not answer yet
            return
        pool = self._work_pool
        if resource_variables("memory", Template.parse(pool.name, pool.type, pool.base_job_template)):
            return
        update = WorkPoolUpdate(base_job_template=add_memory_variable(pool.base_job_template))
        await self.client.update_work_pool(pool.name, update)
        self._record_work_pool_snapshot(pool.model_copy(update=update.model_dump(include={"base_job_template"})))

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


def read_memory_limit(configuration: ProcessJobConfiguration) -> float | None:
    """Return the GiB of memory that each process of a run may use, or None."""
    return configuration.memory_limit if isinstance(configuration, SatflowJobConfiguration) else None


_memory_limits: dict[UUID, float] = {}
"""The GiB of memory that each process of a run may use, by the run's id."""


def explain_crashes() -> None:
    """Add the memory limit of a run to the message of its state Crashed, which Prefect makes from an exit status.

    Versions of Prefect without this method are left as they are.
    """
    try:
        from prefect.runner._state_proposer import StateProposer
    except ImportError:
        return
    propose = StateProposer.propose_crashed
    if hasattr(propose, "__wrapped__"):
        return

    @wraps(propose)
    async def propose_explained(self: StateProposer, flow_run: FlowRun, message: str) -> State[Any] | None:
        return await propose(self, flow_run, explain_crash(message, _memory_limits.get(flow_run.id)))

    StateProposer.propose_crashed = propose_explained  # type: ignore[method-assign]


def explain_crash(message: str, limit: float | None) -> str:
    """Return the message of a state Crashed, with the memory limit if it is the probable reason.

    Args:
        message: the message of Prefect, with the exit status of the run's process.
        limit: GiB of memory that each process of the run may use, or None.
    """
    status = NEGATIVE_STATUS.search(message)
    if limit is None or status is None or int(status[1]) not in SIGNALS_OF_FAILED_ALLOCATIONS:
        return message
    return (
        f"The run probably exceeded its memory limit of {limit:g} GiB: its process ended by the signal "
        f"{signal.Signals(int(status[1])).name}, as libraries end it if they get no more memory. "
        "Register it with more memory (--memory)."
    )


def add_memory_variable(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a base job template with the variable for the memory limit, and everything else as it is."""
    own = SatflowWorker.get_default_base_job_template()
    properties = template["variables"]["properties"]
    added = {MEMORY_LIMIT_VARIABLE: own["variables"]["properties"][MEMORY_LIMIT_VARIABLE]}
    place = {MEMORY_LIMIT_VARIABLE: own["job_configuration"][MEMORY_LIMIT_VARIABLE]}
    return {
        **template,
        "variables": {**template["variables"], "properties": {**properties, **added}},
        "job_configuration": {**template["job_configuration"], **place},
    }


def choose_command(command: str, take_socket: Callable[[], Path]) -> str:
    """Return the command that requests a prepared process, if this command runs Prefect's engine with this interpreter.

    Args:
        command: command of the flow run.
        take_socket: returns the path of the socket of a template, or of a spare interpreter.
    """
    if shlex.split(command) != ENGINE_COMMAND:
        return command
    return shlex.join([*START_COMMAND, str(take_socket())])


def read_run_start() -> str | None:
    """Return the setting `run_start`."""
    try:
        return load_settings().run_start
    except SettingsWrong:  # reported by each flow run
        return None


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
