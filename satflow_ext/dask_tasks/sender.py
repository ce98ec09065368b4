"""Send task calls to a Dask cluster: many calls in one graph, and shared data only once."""

from __future__ import annotations

import threading
from collections.abc import Container, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cloudpickle
from prefect.utilities.collections import visit_collection
from prefect.utilities.engine import collect_task_run_inputs_sync
from prefect_dask.task_runners import PrefectDaskFuture

from satflow_ext.dask_tasks import context, on_worker, pickler, plugins
from satflow_ext.dask_tasks.carried import Carried, Contents
from satflow_ext.dask_tasks.result_fetcher import Harvest
from satflow_ext.dask_tasks.shared_arguments import HEAVY, Common, brought
from satflow_ext.dask_tasks.task_calls import Call, Place, Wanted

if TYPE_CHECKING:
    from distributed import Client, Future

TASKS = 8
"""Maximum number of large pickled tasks kept on the workers while the flow calls other tasks."""


class Sender:
    """Sends calls through one Dask client.

    Args:
        dask_client: client of a cluster whose workers have this package.
        carried: files to copy to the workers' disks; None if the workers have them.
    """

    def __init__(self, dask_client: Client, carried: Carried | None = None) -> None:
        self.harvest = Harvest(dask_client)
        self._dask_client = dask_client
        self._carried = carried
        self._lock = threading.Lock()
        self._made_of: tuple[object, ...] = ()
        self._name = ""
        self._put_up: list[str] = []
        self._code_brought: dict[bytes, Future[bytes]] = {}

    def common(self) -> Common:
        """Create the store for arguments that the calls of one map share."""
        return Common(self._dask_client)

    def send(self, calls: Sequence[Wanted], common: Common) -> list[Future[Any]]:
        """Send calls of one task in one graph. The results of the futures are final states."""
        name = self._shared()
        code, bringing = self._code(calls[0])
        left_out, arguments = common.of(calls, _waits)
        bringing |= arguments
        packed = [_packed(each, code, left_out) for each in calls]
        if len(packed) == 1:
            call, own = packed[0]
            return [self._dask_client.submit(on_worker.run, name, call, own | bringing, key=calls[0].key, pure=False)]
        return self._dask_client.map(
            on_worker.run,
            [name] * len(calls),
            [call for call, _ in packed],
            [own | bringing for _, own in packed],
            key=[each.key for each in calls],
            pure=False,
        )

    def close(self) -> None:
        """Unregister the plugins. The workers first deliver their last events and log lines."""
        for name in self._put_up:
            # The cluster may have ended already.
            with suppress(OSError, RuntimeError, ValueError):
                self._dask_client.unregister_worker_plugin(name)  # type: ignore[no-untyped-call]  # typed in part

    def _shared(self) -> str:
        """Return the workers' name for the current context, and register the context if it changed."""
        made_of, lent = context.now(), context.lent.get()
        if lent is not None and context.same(made_of, lent[1]):
            return lent[0]
        with self._lock:
            if not context.same(made_of, self._made_of):
                self._name, self._made_of = self._put(pickler.dumps(context.shared())), made_of
            return self._name

    def _put(self, data: bytes) -> str:
        departure = plugins.GoesWithClient(self._dask_client.id)
        name = f"{departure.name}-{uuid4().hex}"  # tasks of one worker share its dask client
        cloudpickle.register_pickle_by_value(plugins)
        try:
            self._dask_client.register_plugin(departure)
            self._dask_client.register_plugin(plugins.SharedContext(name, data, *self._contents()), name=name)
        finally:
            cloudpickle.unregister_pickle_by_value(plugins)
        self._put_up.append(name)
        return name

    def _contents(self) -> tuple[Contents, Contents]:
        return (self._carried.file_contents(), self._carried.module_contents()) if self._carried else ({}, {})

    def _code(self, wanted: Wanted) -> tuple[bytes | None, dict[str, Any]]:
        """Return the pickled task, or the future that delivers it. Each call pickles it: captured values may have changed."""
        code = pickler.dumps(wanted.task)
        if len(code) <= HEAVY:
            return code, {}
        digest = sha256(code).digest()
        if digest not in self._code_brought:
            if len(self._code_brought) == TASKS:
                del self._code_brought[next(iter(self._code_brought))]
            self._code_brought[digest] = brought(self._dask_client, "code", code)
        return None, {"code": self._code_brought[digest]}


def _packed(wanted: Wanted, code: bytes | None, left_out: Container[str]) -> tuple[bytes, dict[str, Any]]:
    """Pack a call for the worker, and return it with the futures of tasks whose final states Dask delivers.

    Dask searches lists, tuples and dictionaries for futures, and turns Prefect's annotations into plain tuples. The futures
    are therefore passed separately, and the arguments contain placeholders for the states.
    """
    dependencies = _dependencies(wanted)
    parameters, futures = _with_places({k: each for k, each in wanted.parameters.items() if k not in left_out})
    wait_for, more = _with_places(list(wanted.wait_for), len(futures)) if wanted.wait_for else (None, [])
    call = Call(
        task_run_id=wanted.task_run_id,
        code=code,
        parameters=parameters,
        wait_for=wait_for,
        dependencies=dependencies,
        context=context.of_call(wanted, dependencies),
    )
    return pickler.dumps(call), {"states": [*futures, *more]} if futures or more else {}


def _dependencies(wanted: Wanted) -> dict[str, set[Any]]:
    found = {name: collect_task_run_inputs_sync(value) for name, value in wanted.parameters.items()}
    return {name: inputs | wanted.dependencies.get(name, set()) for name, inputs in found.items()}


def _with_places(given: Any, first: int = 0) -> tuple[Any, list[Future[Any]]]:
    """Replace futures by placeholders, and return the result and the futures."""
    futures: list[Future[Any]] = []

    def visit(each: Any) -> Any:
        if isinstance(each, PrefectDaskFuture):
            futures.append(each.wrapped_future)
            return Place(first + len(futures) - 1)
        return each

    return visit_collection(given, visit_fn=visit, return_data=True), futures


def _waits(given: Any) -> bool:
    return bool(_with_places(given)[1])
