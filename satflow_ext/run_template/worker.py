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
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from satflow_ext.endpoints import WORKER_TYPE
from satflow_ext.errors import SettingsWrong
from satflow_ext.executors.dask_processes import recent_variables
from satflow_ext.fork_requests import start_run
from satflow_ext.fork_requests.child_process import DASK_SOCKET, RUN_SOCKET
from satflow_ext.fork_requests.preloaded_packages import packages_folder
from satflow_ext.fork_requests.start_run import ENGINE_COMMAND
from satflow_ext.fork_requests.trial_load import TEMPLATES_LINK
from satflow_ext.lease.start import STACK_API
from satflow_ext.run_logs.capture import capture_logs, close_run_files
from satflow_ext.run_template.template import MODULE
from satflow_ext.settings import load_settings
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


class Templates:
    """The template for flow runs and, if they use Dask on this machine, the one for their Dask workers. Thread-safe."""

    def __init__(self) -> None:
        # Not in the runtime folder: the path of a unix socket may have about 100 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="satflow-template-"))
        self._lock = threading.Lock()
        self._closed = False
        self._options = _packages_options()
        self._for_runs = TemplateProcess(self._folder / RUN_SOCKET, self._options)
        self._for_dask: TemplateProcess | None = None

    @property
    def run_socket(self) -> Path:
        """Path of the socket of the template for flow runs. It exists once the template's imports are done."""
        return self._folder / RUN_SOCKET

    def restart_for_runs(self) -> None:
        """Make sure that the template for flow runs runs."""
        self._for_runs.restart_if_ended()

    def start_for_dask(self) -> None:
        """Make sure that the template for Dask workers runs, if flow runs of this machine have started some recently."""
        with self._lock, suppress(OSError):  # without it, Dask workers start more slowly
            if self._closed:
                return
            if self._for_dask is not None:
                self._for_dask.restart_if_ended()
            elif (variables := _read_variables()) is not None:
                self._for_dask = TemplateProcess(self._folder / DASK_SOCKET, ["--dask", *self._options], variables)

    def publish(self) -> None:
        """Link the folder of the sockets into the runtime folder of the local stack, for trial loads of flows."""
        with suppress(OSError, SettingsWrong):  # flows are not loaded on trial then
            link = load_settings().runtime_dir / TEMPLATES_LINK
            link.unlink(missing_ok=True)
            link.symlink_to(self._folder)

    def close(self) -> None:
        """End the templates. Their forks go on."""
        with self._lock:
            self._closed = True
            self._for_runs.close()
            if self._for_dask is not None:
                self._for_dask.close()


def _packages_options() -> list[str]:
    try:
        return ["--packages", str(packages_folder(load_settings().state_dir))]
    except SettingsWrong:  # reported by each flow run
        return []


def _read_variables() -> dict[str, str] | None:
    try:
        return recent_variables(load_settings())
    except SettingsWrong:  # reported by each flow run
        return None


class TemplateProcess:
    """A running template process. It inherits this process's output.

    It ends with this process, because its standard input is a pipe from this process, and removes its socket, and the folder if
    the socket was the last one in it.

    Args:
        socket: path of its socket, in a folder that only this user can enter. It exists once the imports are done.
        options: command-line options.
        variables: environment variables to add.
    """

    def __init__(self, socket: Path, options: Sequence[str] = (), variables: Mapping[str, str] | None = None) -> None:
        self.socket = socket
        self._options = options
        self._variables = variables or {}
        self._process = self._start()

    def restart_if_ended(self) -> None:
        """Make sure that the template runs."""
        if self._process.poll() is not None:
            self._remove_socket()
            self.socket.parent.mkdir(mode=0o700, exist_ok=True)
            self._process = self._start()

    def close(self) -> None:
        """End the template. Its forks go on."""
        self._process.terminate()
        self._process.communicate()
        self._remove_socket()

    def _remove_socket(self) -> None:
        with suppress(OSError):
            self.socket.unlink(missing_ok=True)
            self.socket.parent.rmdir()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the template, without settings of Prefect: each flow run brings its own.

        Only Prefect's folder must be the same. The import of Prefect creates it.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PREFECT_") or name == "PREFECT_HOME"
        }
        return subprocess.Popen(
            [sys.executable, "-m", MODULE, "--socket", str(self.socket), *self._options],
            cwd="/",  # a module in the worker's folder must not be imported
            env={**inherited, **self._variables},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
