"""Flows that are called in a cell run with the Prefect API of the local stack, if no other one is configured.

Prefect would start a temporary server for them. The address and the credential are provided when a flow or task is called, in
Prefect's settings context: importing Prefect starts nothing, and no subprocess of the user inherits the credential. See
docs/decisions/0043-flows-called-in-a-cell.md. Imports only the standard library, to keep the start of kernels fast.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.abc
import importlib.machinery
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from satflow_ext.endpoints import PrefectApi

ENTRY_POINTS = {"prefect.flow_engine": "run_flow", "prefect.task_engine": "run_task"}
"""The functions that Prefect imports when a flow or task is called."""

log = logging.getLogger(__name__)

_LOCK = threading.Lock()
_uses_local_stack: ContextVar[bool] = ContextVar("satflow_uses_local_stack", default=False)


def provide_local_api() -> None:
    """Provide the local stack's Prefect API to flows and tasks that are called in this process. Imports and starts nothing."""
    if any(isinstance(finder, _EngineFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _EngineFinder())
    for name in ENTRY_POINTS:
        if name in sys.modules:
            _wrap_engine(sys.modules[name])


class _EngineFinder(importlib.abc.MetaPathFinder):
    """Finds Prefect's engines as the other finders do, and wraps their functions after they are imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in ENTRY_POINTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _EngineLoader(spec.loader)
        return spec


class _EngineLoader(importlib.abc.Loader):
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _wrap_engine(module)


def _wrap_engine(module: ModuleType) -> None:
    """Wrap the entry point of an engine. An engine of an unknown form is left as it is: calls of flows must not fail here."""
    function = ENTRY_POINTS[module.__name__]
    try:
        wrapped = _with_local_api(getattr(module, function))
        if module.__name__ == "prefect.flow_engine":
            _mark_runs(module)
    except AttributeError as error:
        log.warning("Flows that are called in cells do not use the local stack with this version of Prefect: %s", error)
    else:
        setattr(module, function, wrapped)


def _with_local_api(run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `run_flow` or `run_task`, whose first argument decides whether the call is asynchronous or a generator."""

    @functools.wraps(run)
    def run_with_local_api(*args: Any, **kwargs: Any) -> Any:
        called: Any = args[0] if args else kwargs["flow" if "flow" in kwargs else "task"]
        if not _is_needed():
            return run(*args, **kwargs)
        call = functools.partial(run, *args, **kwargs)
        if called.isasync:
            return _iterate_async(call) if called.isgenerator else _await_result(call)
        if called.isgenerator:
            return _iterate(call)
        with _use_local_api(_find_local_api()):
            return call()

    return run_with_local_api


async def _await_result(call: Callable[[], Any]) -> Any:
    with _use_local_api(await asyncio.to_thread(_find_local_api)):
        return await call()


def _iterate(call: Callable[[], Any]) -> Generator[Any, Any, Any]:
    with _use_local_api(_find_local_api()):
        return (yield from call())


async def _iterate_async(call: Callable[[], Any]) -> AsyncIterator[Any]:
    with _use_local_api(await asyncio.to_thread(_find_local_api)):
        async for each in call():
            yield each


def _is_needed() -> bool:
    """Return whether Prefect would start a temporary server: neither Prefect's settings nor SatFlow's have an API."""
    from prefect.settings import PREFECT_API_URL

    from satflow_ext.settings import load_settings

    if PREFECT_API_URL.value():
        return False
    settings = load_settings()
    return settings.notebook_runs and settings.prefect_api_url is None


def _find_local_api() -> PrefectApi:
    """Return the API of the local stack, which is started if necessary and then runs as long as this kernel.

    Raises:
        StackFailed: the local stack did not start.
    """
    from satflow_ext.kernel.kernel_session import acquire_endpoints
    from satflow_ext.settings import load_settings

    with _LOCK:
        _explain_once()
        return acquire_endpoints(load_settings()).prefect


@functools.cache
def _explain_once() -> None:
    sys.stdout.write(
        "Flows that are called in this notebook run with the Prefect API of SatFlow's local stack, and appear under Runs. "
        "With SATFLOW_NOTEBOOK_RUNS=false, Prefect starts a temporary server instead.\n"
    )


@contextmanager
def _use_local_api(api: PrefectApi) -> Iterator[None]:
    from prefect.settings import (
        PREFECT_API_AUTH_STRING,
        PREFECT_API_KEY,
        PREFECT_API_URL,
        PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
        PREFECT_CLIENT_CUSTOM_HEADERS,
        temporary_settings,
    )

    _bypass_proxy()
    token = _uses_local_stack.set(True)
    try:
        with temporary_settings(
            {
                PREFECT_API_URL: api.url,
                PREFECT_API_AUTH_STRING: api.auth_string,
                PREFECT_API_KEY: None,
                PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: True,
                PREFECT_CLIENT_CUSTOM_HEADERS: {},
            }
        ):
            yield
    finally:
        _uses_local_stack.reset(token)


def _bypass_proxy() -> None:
    """Exclude this machine from the user's proxy, which must not receive the credential of the local stack."""
    from urllib.request import getproxies, proxy_bypass

    if not getproxies() or proxy_bypass("127.0.0.1"):
        return
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = direct


def _mark_runs(engine: ModuleType) -> None:
    """Make both engines tag the runs that are called here, and record this process, whose end is the end of its runs."""
    create, create_async = engine.FlowRunEngine.create_flow_run, engine.AsyncFlowRunEngine.create_flow_run

    @functools.wraps(create)
    def create_flow_run(self: Any, client: Any) -> Any:
        if not _is_called_here():
            return create(self, client)
        with _tag_flow_run():
            flow_run = create(self, client)
        client.update_flow_run(flow_run.id, infrastructure_pid=_identify_process())
        return flow_run

    @functools.wraps(create_async)
    async def create_flow_run_async(self: Any, client: Any) -> Any:
        if not _is_called_here():
            return await create_async(self, client)
        with _tag_flow_run():
            flow_run = await create_async(self, client)
        await client.update_flow_run(flow_run.id, infrastructure_pid=_identify_process())
        return flow_run

    engine.FlowRunEngine.create_flow_run = create_flow_run
    engine.AsyncFlowRunEngine.create_flow_run = create_flow_run_async


def _is_called_here() -> bool:
    from prefect.context import FlowRunContext

    return _uses_local_stack.get() and FlowRunContext.get() is None


@contextmanager
def _tag_flow_run() -> Iterator[None]:
    """Tag the flow run only: each tag of a task run would cost a request for its concurrency limit."""
    from prefect import tags

    from satflow_ext.endpoints import NOTEBOOK_TAG

    with tags(NOTEBOOK_TAG):
        yield


def _identify_process() -> str:
    from satflow_ext.process_identity import read_identity

    return f"{read_identity(os.getpid())}:{os.getpid()}"
