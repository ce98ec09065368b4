"""Objects that work in one process only, and the usual alternatives to packing them."""

from __future__ import annotations

import io
from typing import NamedTuple

from satflow_ext.kernel.reachable_objects import ReachedObject
from satflow_ext.kernel.refusals import CREATE_INSIDE_FIX


class LiveObjectKind(NamedTuple):
    """A kind of live object: its description and the usual fix."""

    description: str
    fix: str


CONNECT_FIX = (
    "Connect inside the task that needs it; keep the address in a parameter and the password in a declared secret."
)

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

PICKLABLE_MODULES = frozenset({"distributed", "dask_gateway", "requests", "sqlalchemy", "redis"})
"""Modules with live objects that can be pickled, but are different or useless in another process."""
PICKLABLE_TYPES = frozenset(
    {"Session", "Client", "Future", "Engine", "LocalCluster", "GatewayCluster", "SpecCluster", "Redis"}
)


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
