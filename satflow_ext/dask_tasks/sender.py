"""Send task calls to a Dask cluster: many calls in one graph, and shared data only once."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cloudpickle
from prefect.utilities.annotations import BaseAnnotation
from prefect.utilities.collections import visit_collection
from prefect.utilities.engine import collect_task_run_inputs_sync
from prefect_dask.task_runners import PrefectDaskFuture

from satflow_ext import main_module
from satflow_ext.dask_tasks import context, on_worker, plugins
from satflow_ext.dask_tasks.result_fetcher import ResultFetcher
from satflow_ext.dask_tasks.run_files import FileContents, RunFiles
from satflow_ext.dask_tasks.task_calls import CallRequest, PackedCall, StatePlaceholder
from satflow_ext.setup_cells import SetupCellRunner

if TYPE_CHECKING:
    from distributed import Client, Future

MAX_CACHED_TASKS = 8
"""Maximum number of large pickled tasks kept on the workers while the flow calls other tasks."""
LARGE_SIZE = 64 * 1024
"""Bytes. Larger data is copied by Dask once to each worker; smaller data is cheaper to send with each call."""


class CallSender:
    """Sends calls through one Dask client.

    Args:
        dask_client: client of a cluster whose workers have this package.
        carried: files to copy to the workers' disks; None if the workers have them.
    """

    def __init__(self, dask_client: Client, carried: RunFiles | None = None) -> None:
        self.result_fetcher = ResultFetcher(dask_client)
        self._dask_client = dask_client
        self._run_files = carried
        self._lock = threading.Lock()
        self._context_sources: tuple[object, ...] = ()
        self._name = ""
        self._registered_names: list[str] = []
        self._task_futures: dict[bytes, Future[bytes]] = {}

    def create_shared_arguments(self) -> SharedArguments:
        """Create the store for arguments that the calls of one map share."""
        return SharedArguments(self._dask_client)

    def send_calls(self, calls: Sequence[CallRequest], shared_arguments: SharedArguments) -> list[Future[Any]]:
        """Send calls of one task in one graph. The results of the futures are final states."""
        name = self._register_context()
        code, bringing = self._pickle_task(calls[0])
        left_out, arguments = shared_arguments.submit_shared(calls, _has_futures)
        bringing |= arguments
        packed = [_pack_call(each, code, left_out) for each in calls]
        if len(packed) == 1:
            call, own = packed[0]
            return [
                self._dask_client.submit(
                    on_worker.run_task_call, name, call, own | bringing, key=calls[0].key, pure=False
                )
            ]
        return self._dask_client.map(
            on_worker.run_task_call,
            [name] * len(calls),
            [call for call, _ in packed],
            [own | bringing for _, own in packed],
            key=[each.key for each in calls],
            pure=False,
        )

    def close(self) -> None:
        """Unregister the plugins. The workers first deliver their last events and log lines."""
        for name in self._registered_names:
            # The cluster may have ended already; a worker that joins or leaves at this moment may not have the plugin (KeyError).
            with suppress(OSError, RuntimeError, ValueError, KeyError):
                self._dask_client.unregister_worker_plugin(name)  # type: ignore[no-untyped-call]  # typed in part

    def _register_context(self) -> str:
        """Return the workers' name for the current context, and register the context if it changed."""
        made_of, shared_context = context.shared_context_sources(), context.current_shared_context.get()
        if shared_context is not None and context.are_identical(made_of, shared_context[1]):
            return shared_context[0]
        with self._lock:
            if not context.are_identical(made_of, self._context_sources):
                self._name, self._context_sources = (
                    self._register_plugins(pickle_for_worker(context.serialize_shared_context())),
                    made_of,
                )
            return self._name

    def _register_plugins(self, data: bytes) -> str:
        departure = plugins.ClientCleanup(self._dask_client.id)
        name = f"{departure.name}-{uuid4().hex}"  # tasks of one worker share its dask client
        cloudpickle.register_pickle_by_value(plugins)
        try:
            self._dask_client.register_plugin(departure)
            self._dask_client.register_plugin(plugins.SharedContext(name, data, *self._read_run_files()), name=name)
        finally:
            cloudpickle.unregister_pickle_by_value(plugins)
        self._registered_names.append(name)
        return name

    def _read_run_files(self) -> tuple[FileContents, FileContents]:
        return (self._run_files.read_files(), self._run_files.read_modules()) if self._run_files else ({}, {})

    def _pickle_task(self, request: CallRequest) -> tuple[bytes | None, dict[str, Any]]:
        """Return the pickled task, or the future that delivers it. Each call pickles it: captured values may have changed."""
        code = pickle_for_worker(request.task)
        if len(code) <= LARGE_SIZE:
            return code, {}
        digest = sha256(code).digest()
        if digest not in self._task_futures:
            if len(self._task_futures) == MAX_CACHED_TASKS:
                del self._task_futures[next(iter(self._task_futures))]
            self._task_futures[digest] = submit_data(self._dask_client, "code", code)
        return None, {"code": self._task_futures[digest]}


def _pack_call(request: CallRequest, code: bytes | None, left_out: Container[str]) -> tuple[bytes, dict[str, Any]]:
    """Pack a call for the worker, and return it with the futures of tasks whose final states Dask delivers.

    Dask searches lists, tuples and dictionaries for futures, and turns Prefect's annotations into plain tuples. The futures
    are therefore passed separately, and the arguments contain placeholders for the states.
    """
    dependencies = _collect_dependencies(request)
    parameters, futures = _replace_futures({k: each for k, each in request.parameters.items() if k not in left_out})
    wait_for, more = _replace_futures(list(request.wait_for), len(futures)) if request.wait_for else (None, [])
    call = PackedCall(
        task_run_id=request.task_run_id,
        code=code,
        parameters=parameters,
        wait_for=wait_for,
        dependencies=dependencies,
        context=context.serialize_call_context(request, dependencies),
    )
    return pickle_for_worker(call), {"states": [*futures, *more]} if futures or more else {}


def _collect_dependencies(request: CallRequest) -> dict[str, set[Any]]:
    found = {name: collect_task_run_inputs_sync(value) for name, value in request.parameters.items()}
    return {name: inputs | request.dependencies.get(name, set()) for name, inputs in found.items()}


def _replace_futures(value: Any, first: int = 0) -> tuple[Any, list[Future[Any]]]:
    """Replace futures by placeholders, and return the result and the futures."""
    futures: list[Future[Any]] = []

    def visit(each: Any) -> Any:
        if isinstance(each, PrefectDaskFuture):
            futures.append(each.wrapped_future)
            return StatePlaceholder(first + len(futures) - 1)
        return each

    return visit_collection(value, visit_fn=visit, return_data=True), futures


def _has_futures(value: Any) -> bool:
    return bool(_replace_futures(value)[1])


class SharedArguments:
    """The shared arguments of the calls of one map, which are sent a few hundred at a time.

    Dask copies large ones once to each worker.

    Args:
        dask_client: client that sends the calls.
    """

    def __init__(self, dask_client: Client) -> None:
        self._dask_client = dask_client
        self._last_arguments: dict[str, Any] = {}
        self._futures: dict[str, Any] = {}

    def submit_shared(
        self, calls: Sequence[CallRequest], has_futures: Callable[[Any], bool]
    ) -> tuple[frozenset[str], dict[str, Any]]:
        """Return the names of the arguments that Dask delivers, and the futures that deliver them."""
        if len(calls) > 1:
            common = {name: value for name, value in _identical_arguments(calls).items() if not has_futures(value)}
            if common.keys() != self._last_arguments.keys() or any(
                common[name] is not self._last_arguments[name] for name in common
            ):
                self._last_arguments, self._futures = common, self._submit_arguments(common)
        return frozenset(self._last_arguments if self._futures else ()), self._futures

    def _submit_arguments(self, common: dict[str, Any]) -> dict[str, Any]:
        data = pickle_for_worker(common)
        return {"common": submit_data(self._dask_client, "arguments", data)} if len(data) > LARGE_SIZE else {}


def submit_data(dask_client: Client, label: str, data: bytes) -> Future[bytes]:
    """Submit data as a Dask task, which Dask recomputes if a worker is lost, and releases when no task needs it."""
    return dask_client.submit(on_worker.return_data, data, key=f"satflow-{label}-{uuid4().hex}", pure=False)


def _identical_arguments(calls: Sequence[CallRequest]) -> dict[str, Any]:
    """Return the arguments that are the identical object in each call."""
    return {
        name: value
        for name, value in calls[0].parameters.items()
        if all(call.parameters.get(name, call) is value for call in calls)
    }


def pickle_for_worker(given: object) -> bytes:
    """Pickle an object as `cloudpickle.dumps` does, but preserve Prefect's annotations.

    An annotation is a tuple of one element, but its constructor takes the element itself: plain pickle would wrap the
    value twice.
    """
    with io.BytesIO() as file:
        _Pickler(file).dump(_SentValue(given))
        return file.getvalue()


def restore_value(setup: None, value: object, main: list[object]) -> object:
    """Return a value that was sent, after publishing the notebook's functions and classes in this process's `__main__`.

    Args:
        setup: unpickled first, which runs the setup cells.
        value: the value that was sent.
        main: functions and classes of the notebook's `__main__`.
    """
    if main:
        main_module.publish_definitions(main)
    return value


class _SentValue:
    def __init__(self, value: object) -> None:
        self.value = value


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is not typed
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._main: list[object] = []

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is _SentValue:
            # The order matters: pickling the value fills the list that follows it.
            return restore_value, (SetupCellRunner(), obj.value, self._main)
        if main_module.is_defined_in_main(obj):
            self._main.append(obj)
        if isinstance(obj, BaseAnnotation):
            return type(obj), (obj.unwrap(),)
        return super().reducer_override(obj)
