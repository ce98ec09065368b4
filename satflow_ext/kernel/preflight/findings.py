"""Findings about objects that a flow reaches: live objects of this process, and values that look like credentials."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from types import FunctionType
from typing import NamedTuple

from satflow_ext.credentials.shapes import MAX_SEARCHED, detect_credential
from satflow_ext.kernel import refusals
from satflow_ext.kernel.key_value import KeyValue
from satflow_ext.kernel.object_views import view_object
from satflow_ext.kernel.plain_data import CONTAINERS
from satflow_ext.kernel.reachable_objects import MAX_OBJECTS, ReachedObject, format_path, type_name
from satflow_ext.kernel.refusals import CREATE_INSIDE_FIX
from satflow_ext.models import Finding

MAX_FINDINGS = 50
"""Maximum number of findings of one kind."""
MAX_PLAIN_VALUES = 1000
"""Maximum number of values to check per container of plain data."""
CONNECT_FIX = (
    "Connect inside the task that needs it; keep the address in a parameter and the password in a declared secret."
)
PICKLABLE_MODULES = frozenset({"distributed", "dask_gateway", "requests", "sqlalchemy", "redis"})
"""Modules with live objects that can be pickled, but are different or useless in another process."""
PICKLABLE_TYPES = frozenset(
    {"Session", "Client", "Future", "Engine", "LocalCluster", "GatewayCluster", "SpecCluster", "Redis"}
)


def find_problems(everything: Iterable[ReachedObject], *, texts: int | None = None) -> Iterator[Finding]:
    """Find live objects, then credentials.

    Args:
        everything: all objects that the flow reaches.
        texts: the maximum number of texts to compare with the shapes of credentials (default: all).
    """
    yield from islice(_find_live_objects(everything), MAX_FINDINGS)
    yield from islice(_find_credentials(everything, texts), MAX_FINDINGS)


def _find_live_objects(everything: Iterable[ReachedObject]) -> Iterator[Finding]:
    for reached in everything:
        problem, path = reached.view.problem, format_path(reached.path)
        kind = live_object_kind(reached)
        if kind is None and not problem:
            continue
        words = kind.description if kind else f"cannot be pickled: {problem}"
        yield Finding(
            kind="live object",
            level="error" if problem else "warning",
            where=path,
            message=f"{words} ({type_name(reached.value)})",
            fix=kind.fix if kind else refusals.CREATE_INSIDE_FIX,
        )


def _find_credentials(everything: Iterable[ReachedObject], texts: int | None) -> Iterator[Finding]:
    """Yield findings for captured texts and bytes that look like credentials. A message never contains the text itself."""
    found: set[tuple[str, ...]] = set()
    for path, text in islice(chain.from_iterable(map(extract_texts, everything)), texts):
        if path not in found and (what := detect_credential(text, path[-1])):
            found.add(path)
            fix = "Declare it by name (secrets) and read it from os.environ when the flow runs."
            yield Finding(
                kind="credential", level="warning", where=format_path(path), message=f"looks like {what}", fix=fix
            )


def extract_texts(reached: ReachedObject) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (path, text) for the texts directly inside an object; for plain data, the first texts on all levels."""
    if reached.plain:
        yield from _extract_plain_texts(reached)
        return
    if reached.view.buffer is not None:
        yield reached.path, bytes(reached.view.buffer[:MAX_SEARCHED]).decode("latin-1")
    for label, part in chain(islice(reached.view.parts, MAX_OBJECTS), _named_defaults(reached.value)):
        value = part[1] if type(part) is KeyValue else part
        if type(value) is str and label != "(default)":
            yield ((*reached.path, label) if label else reached.path), value


def _extract_plain_texts(reached: ReachedObject) -> Iterator[tuple[tuple[str, ...], str]]:
    waiting = deque(islice(_contained_values(reached.path, reached.value), MAX_PLAIN_VALUES))
    for _ in range(MAX_PLAIN_VALUES):
        if not waiting:
            return
        path, value = waiting.popleft()
        if type(value) is str:
            yield path, value
        elif type(value) in CONTAINERS:
            waiting.extend(islice(_contained_values(path, value), MAX_PLAIN_VALUES - len(waiting)))


def _contained_values(path: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], object]]:
    for label, part in view_object(value).parts:
        yield (*path, label) if label else path, part[1] if type(part) is KeyValue else part


def _named_defaults(value: object) -> Iterator[tuple[str, object]]:
    """Yield positional defaults by the names of their parameters, which are clearer than positions."""
    if isinstance(value, FunctionType) and value.__defaults__:
        names = value.__code__.co_varnames[: value.__code__.co_argcount]
        for name, default in zip(names[-len(value.__defaults__) :], value.__defaults__, strict=True):
            yield f"(default {name})", default


class LiveObjectKind(NamedTuple):
    """A kind of live object: its description and the usual fix."""

    description: str
    fix: str


KINDS_BY_MODULE: dict[str, LiveObjectKind] = {
    "_thread": LiveObjectKind(
        "a lock", "Create it inside the flow, or remove it: tasks in other processes do not share it."
    ),
    "threading": LiveObjectKind(
        "a lock or thread", "Create it inside the flow: tasks in other processes do not share it."
    ),
    "multiprocessing": LiveObjectKind(
        "a process, queue or lock", "Let the executor run things in parallel: my_task.map(items)."
    ),
    "asyncio": LiveObjectKind("an asyncio object", CREATE_INSIDE_FIX),
    "socket": LiveObjectKind("an open socket", CONNECT_FIX),
    "ssl": LiveObjectKind("an open connection", CONNECT_FIX),
    "subprocess": LiveObjectKind("a running process", "Start it inside a task."),
    "sqlite3": LiveObjectKind("a database connection", CONNECT_FIX),
    "psycopg": LiveObjectKind("a database connection", CONNECT_FIX),
    "psycopg2": LiveObjectKind("a database connection", CONNECT_FIX),
    "pymysql": LiveObjectKind("a database connection", CONNECT_FIX),
    "sqlalchemy": LiveObjectKind("a database connection", CONNECT_FIX),
    "duckdb": LiveObjectKind("a database connection", CONNECT_FIX),
    "pymongo": LiveObjectKind("a database connection", CONNECT_FIX),
    "redis": LiveObjectKind("a database connection", CONNECT_FIX),
    "snowflake": LiveObjectKind("a database connection", CONNECT_FIX),
    "pyspark": LiveObjectKind("a Spark session", "Get it inside the task: SparkSession.builder.getOrCreate()."),
    "botocore": LiveObjectKind("an AWS client", "Create it inside the task: boto3.client(...)."),
    "boto3": LiveObjectKind("an AWS client", "Create it inside the task: boto3.client(...)."),
    "google": LiveObjectKind("a Google Cloud client", CREATE_INSIDE_FIX),
    "azure": LiveObjectKind("an Azure client", CREATE_INSIDE_FIX),
    "httpx": LiveObjectKind("an HTTP client", "Create it inside the task: with httpx.Client() as client."),
    "requests": LiveObjectKind("an HTTP session", "Create it inside the task: with requests.Session() as session."),
    "aiohttp": LiveObjectKind(
        "an HTTP session", "Create it inside the task: async with aiohttp.ClientSession() as session."
    ),
    "distributed": LiveObjectKind(
        "a Dask client, cluster or future", "Choose an executor that starts with dask-; tasks then run there."
    ),
    "dask_gateway": LiveObjectKind(
        "a Dask cluster", "Choose an executor that starts with dask-; tasks then run there."
    ),
    "tempfile": LiveObjectKind("a temporary file", "Create it inside the task that uses it."),
    "weakref": LiveObjectKind("a weak reference", CREATE_INSIDE_FIX),
    "cupy": LiveObjectKind("a GPU array", "Send it as a NumPy array: cupy.asnumpy(array)."),
    "numba": LiveObjectKind("a GPU array", "Send it as a NumPy array: array.copy_to_host()."),
    "ipywidgets": LiveObjectKind("a widget", "Send its value instead: widget.value."),
    "IPython": LiveObjectKind("a part of the notebook itself", "Remove it: a flow run has no notebook."),
}
"""By the top-level module of the object's type."""

KINDS_BY_TYPE: dict[str, LiveObjectKind] = {
    "generator": LiveObjectKind("a generator", "Create it inside the flow, or send a list: list(generator)."),
    "coroutine": LiveObjectKind("a coroutine", "Await it inside the flow."),
    "async_generator": LiveObjectKind("an asynchronous generator", "Create it inside the flow."),
    "frame": LiveObjectKind("a stack frame", CREATE_INSIDE_FIX),
    "traceback": LiveObjectKind("a traceback", "Send its text: traceback.format_exc()."),
}

GPU = LiveObjectKind("a tensor on a GPU", "Send it from the CPU: tensor.cpu().")
FILE = LiveObjectKind("an open file", "Open it inside the task that reads or writes it; send its path.")


def live_object_kind(reached: ReachedObject) -> LiveObjectKind | None:
    """Return the kind of a live object; None for any other object and for unknown kinds."""
    kind = type(reached.value)
    module = kind.__module__.partition(".")[0]
    if reached.view.kind == "name" and not reached.view.problem:
        return None
    if isinstance(reached.value, io.IOBase):
        return None if isinstance(reached.value, (io.BytesIO, io.StringIO)) else FILE
    if module == "torch" and bool(getattr(reached.value, "is_cuda", False)):
        return GPU
    if not reached.view.problem and not (module in PICKLABLE_MODULES and kind.__name__ in PICKLABLE_TYPES):
        return None
    return KINDS_BY_TYPE.get(kind.__name__) or KINDS_BY_MODULE.get(module)
