"""A flow run's context on a Dask worker, built once with its clients and used by each task.

Log lines of tasks have the Dask worker's name in the name of the logger, so that the message is unchanged.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import logging
import os
import pickle
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from distributed import get_worker
from prefect.context import AsyncClientContext, FlowRunContext, SettingsContext, SyncClientContext, hydrated_context
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogHandler, APILogWorker, PrefectConsoleHandler
from prefect.task_engine import run_task_async, run_task_sync
from prefect.utilities.collections import visit_collection

from satflow_ext.cell_lines import register_cell_lines
from satflow_ext.dask_tasks import context
from satflow_ext.dask_tasks.prefect_from_there import with_worker_api_url
from satflow_ext.dask_tasks.task_calls import PackedCall, StatePlaceholder
from satflow_ext.exception_pickling import make_state_picklable
from satflow_ext.redaction.encodable import make_messages_encodable
from satflow_ext.run_logs.capture import capture_logs, close_files
from satflow_ext.run_logs.failed_inputs import record_failed_inputs

if TYPE_CHECKING:
    from distributed import Worker
    from prefect.client.schemas.objects import State

    from satflow_ext.dask_tasks.plugins import SharedContext

DELIVERY_TIMEOUT = 20.0
"""Seconds in which a Dask worker sends its last events and log lines to Prefect's API. A nanny would kill it after four."""

LOGGERS = ("root", "prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.extra")
"""The loggers with Prefect's handlers: the first ones have the console handler, the others the handler for the API."""

_build_lock = threading.Lock()
_open_contexts: set[WorkerContext] = set()
_folder_lock = threading.Lock()
_task_folders: list[str] = []
"""The folders of the running tasks with data files. All threads of a process share one working directory."""
_original_folder = ""
_current_worker: contextvars.ContextVar[str | None] = contextvars.ContextVar("satflow_dask_worker", default=None)
"""The name of the Dask worker that runs this task, set only for SatFlow's tasks: others may use this process as well."""

T = TypeVar("T")
log = logging.getLogger(__name__)


def get_worker_context(plugin: SharedContext) -> WorkerContext:
    """Return the built context of a plugin on this worker. The first task that needs it builds it."""
    with _build_lock:
        if plugin.worker_context is None:
            made = WorkerContext(plugin.name, pickle.loads(plugin.data), _files_folder(plugin))  # noqa: S301  # delivered by Dask
            plugin.worker_context, plugin.close_worker_context = made, made.close
            _open_contexts.add(made)
        assert isinstance(plugin.worker_context, WorkerContext)
        return plugin.worker_context


def _files_folder(plugin: SharedContext) -> str | None:
    return os.path.join(plugin.folder, "files") if plugin.folder and plugin.files else None


class WorkerContext:
    """Prefect's context of a flow run, entered once.

    Args:
        name: the cluster's name for the context.
        serialized: the result of `context.shared`.
        folder: the folder of the run's data files, if there are any.
    """

    def __init__(self, name: str, serialized: dict[str, Any], folder: str | None) -> None:
        self._name = name
        self._folder = folder
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._running = 0
        self._closing = False
        self._loops = EventLoopPool()
        self._context_copy = contextvars.copy_context()
        before = dict(self._context_copy)
        self._context_copy.run(self._enter_contexts, serialized)
        self._variables = [(each, value) for each, value in self._context_copy.items() if before.get(each) is not value]

    def run_task(self, call: PackedCall, from_dask: Mapping[str, Any]) -> State[Any]:
        """Run a task in a copy of the context, so that its changes are discarded."""
        with self._lock:
            self._running += 1
        try:
            return contextvars.copy_context().run(self._run_in_context, call, from_dask)
        finally:
            with self._lock:
                self._running -= 1
                self._close_if_unused()

    def close(self, then: Callable[[], None]) -> None:
        """Exit the context, close its clients and call `then`, as soon as no task runs in it."""
        with self._lock:
            self._stack.callback(then)
            self._closing = True
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._closing and not self._running:
            self._closing = False
            self._loops.close()
            _open_contexts.discard(self)
            if not _open_contexts:  # these workers are shared by all flow runs
                APILogWorker.drain_all(timeout=DELIVERY_TIMEOUT)
                EventsWorker.drain_all(timeout=DELIVERY_TIMEOUT)
                close_files()
            self._context_copy.run(self._stack.close)

    def _enter_contexts(self, serialized: dict[str, Any]) -> None:
        register_cell_lines(serialized.pop(context.CELL_LINES))
        self._stack.enter_context(with_worker_api_url(SettingsContext(**serialized.pop("settings_context"))))
        client = self._stack.enter_context(SyncClientContext()).client
        self._stack.enter_context(hydrated_context(serialized, client=client))
        attach_handlers(get_worker())

    def _run_in_context(self, call: PackedCall, from_dask: Mapping[str, Any]) -> State[Any]:
        for variable, value in self._variables:
            variable.set(value)
        arguments: dict[str, Any] = {
            "task": pickle.loads(call.code or from_dask["code"]),  # noqa: S301  # as above
            "task_run_id": call.task_run_id,
            "parameters": _load_parameters(call, from_dask),
            "wait_for": _fill_placeholders(call.wait_for, from_dask),
            "dependencies": call.dependencies,
            "context": call.context,
            "return_type": "state",
        }
        with _fresh_flow_run_context(), working_directory(self._folder):
            context.current_shared_context.set((self._name, context.shared_context_sources()))
            if arguments["task"].isasync:
                return cast("State[Any]", make_state_picklable(self._loops.run_coroutine(run_task_async(**arguments))))
            return cast("State[Any]", make_state_picklable(run_task_sync(**arguments)))


def _load_parameters(call: PackedCall, from_dask: Mapping[str, Any]) -> dict[str, Any]:
    """Unpickle the shared parameters for each task separately, because a task may modify them."""
    own: dict[str, Any] = _fill_placeholders(call.parameters, from_dask)
    return own | pickle.loads(from_dask["common"]) if "common" in from_dask else own  # noqa: S301  # as above


def _fill_placeholders(value: Any, from_dask: Mapping[str, Any]) -> Any:
    if "states" not in from_dask or value is None:
        return value
    states = from_dask["states"]
    return visit_collection(
        value,
        visit_fn=lambda each: states[each.number] if isinstance(each, StatePlaceholder) else each,
        return_data=True,
    )


@contextmanager
def _fresh_flow_run_context() -> Iterator[None]:
    """Give each task fresh collections of the flow run context, as if the context had been built for it."""
    run_context = FlowRunContext.get()
    if run_context is None:
        yield
        return
    made = {
        name: field.default_factory()  # type: ignore[call-arg]  # no factory uses preceding fields
        for name, field in type(run_context).model_fields.items()
        if field.default_factory is not None and name not in run_context.model_fields_set
    }
    with (
        run_context.task_runner.duplicate() as task_runner,
        run_context.model_copy(update={**made, "task_runner": task_runner}),
    ):
        yield


@dataclass
class _PooledLoop:
    loop: asyncio.AbstractEventLoop
    context: AsyncClientContext | None = None


class EventLoopPool:
    """Runs coroutines in the calling thread like `asyncio.run`, but reuses event loops."""

    def __init__(self) -> None:
        self._free: list[_PooledLoop] = []
        self._lock = threading.Lock()

    def run_coroutine(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result. Tasks that it left running are cancelled."""
        with self._lock:
            kept = self._free.pop() if self._free else _PooledLoop(asyncio.new_event_loop())
        try:
            return kept.loop.run_until_complete(_run_with_client(kept, coroutine))
        finally:
            _cancel_remaining_tasks(kept.loop)
            with self._lock:
                self._free.append(kept)

    def close(self) -> None:
        """Close all clients and loops. No coroutine may be running."""
        with self._lock:
            free, self._free = self._free, []
        for kept in free:
            if kept.context is not None:
                kept.loop.run_until_complete(kept.context.client.__aexit__(None, None, None))
            kept.loop.close()


async def _run_with_client(pooled: _PooledLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine inside the loop's client context. The engine uses the client of a context in its own loop."""
    if pooled.context is None:
        context = AsyncClientContext()
        await context.client.__aenter__()
        pooled.context = context
    with pooled.context:
        return await coroutine


def _cancel_remaining_tasks(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())


@contextmanager
def working_directory(folder: str | None) -> Iterator[None]:
    """Run a task in a folder; None: in the worker's current directory."""
    if folder is None:
        yield
        return
    _enter_folder(folder)
    try:
        yield
    finally:
        _leave_folder(folder)


def _enter_folder(folder: str) -> None:
    global _original_folder
    with _folder_lock:
        if not _task_folders:
            _original_folder = os.getcwd()
        elif folder not in _task_folders:
            log.warning("Tasks of two runs with different data files share a Dask worker's working directory.")
        os.chdir(folder)
        _task_folders.append(folder)


def _leave_folder(folder: str) -> None:
    with _folder_lock:
        _task_folders.remove(folder)
        os.chdir(_task_folders[-1] if _task_folders else _original_folder)


class NamingHandler(APILogHandler):
    """Prefect's handler, with the Dask worker's name added to the logger's: `prefect.task_runs on Dask worker 3`."""

    def prepare(self, record: logging.LogRecord) -> dict[str, Any]:
        """Convert the record to the format of the API."""
        worker = _current_worker.get()
        if worker is not None:
            record = copy.copy(record)
            record.name = f"{record.name} on Dask worker {worker}"
        return super().prepare(record)


def attach_handlers(worker: Worker) -> None:
    """Add the worker's name to log lines of this context and of its copies."""
    capture_logs()
    make_messages_encodable()
    record_failed_inputs()
    _current_worker.set(_worker_name(worker))
    for logger in map(logging.getLogger, LOGGERS):
        _replace_handlers(logger, APILogHandler, _make_naming_handler)
        _replace_handlers(logger, PrefectConsoleHandler, _make_plain_handler)


def _replace_handlers(
    logger: logging.Logger, kind: type[logging.Handler], make_handler: Callable[[Any], logging.Handler | None]
) -> None:
    """Replace each of Prefect's handlers of this class by the result of `make_handler`, unless the result is None."""
    for stock in [each for each in logger.handlers if type(each) is kind]:
        if (other := make_handler(stock)) is not None:
            other.setLevel(stock.level)
            other.setFormatter(stock.formatter)
            logger.removeHandler(stock)
            logger.addHandler(other)


def _make_naming_handler(stock: logging.Handler) -> NamingHandler:
    return NamingHandler()


def _make_plain_handler(stock: PrefectConsoleHandler) -> logging.Handler | None:
    """Create a handler without colors if the stream is not a terminal: Prefect's needs half the time of a task per line."""
    return None if stock.stream.isatty() else logging.StreamHandler(stock.stream)


def _worker_name(worker: Worker) -> str:
    """Return the name from the cluster's status. An unnamed worker's name is its address, which must stay private."""
    name = str(worker.name)
    return worker.id.rpartition("-")[2] if "://" in name else name
