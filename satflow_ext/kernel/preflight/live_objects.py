"""Objects that work in one process only, and the usual alternatives to packing them."""

from __future__ import annotations

import io
from typing import NamedTuple

from satflow_ext.kernel.reachable_objects import Reached
from satflow_ext.kernel.refusals import INSIDE


class Kind(NamedTuple):
    """A kind of live object: its description and the usual fix."""

    words: str
    fix: str


CONNECT = (
    "Connect inside the task that needs it; keep the address in a parameter and the password in a declared secret."
)

KINDS: dict[str, Kind] = {
    "_thread": Kind("a lock", "Create it inside the flow, or remove it: tasks in other processes do not share it."),
    "threading": Kind("a lock or thread", "Create it inside the flow: tasks in other processes do not share it."),
    "multiprocessing": Kind("a process, queue or lock", "Let the executor run things in parallel: my_task.map(items)."),
    "asyncio": Kind("an asyncio object", INSIDE),
    "socket": Kind("an open socket", CONNECT),
    "ssl": Kind("an open connection", CONNECT),
    "subprocess": Kind("a running process", "Start it inside a task."),
    "sqlite3": Kind("a database connection", CONNECT),
    "psycopg": Kind("a database connection", CONNECT),
    "psycopg2": Kind("a database connection", CONNECT),
    "pymysql": Kind("a database connection", CONNECT),
    "sqlalchemy": Kind("a database connection", CONNECT),
    "duckdb": Kind("a database connection", CONNECT),
    "pymongo": Kind("a database connection", CONNECT),
    "redis": Kind("a database connection", CONNECT),
    "snowflake": Kind("a database connection", CONNECT),
    "pyspark": Kind("a Spark session", "Get it inside the task: SparkSession.builder.getOrCreate()."),
    "botocore": Kind("an AWS client", "Create it inside the task: boto3.client(...)."),
    "boto3": Kind("an AWS client", "Create it inside the task: boto3.client(...)."),
    "google": Kind("a Google Cloud client", INSIDE),
    "azure": Kind("an Azure client", INSIDE),
    "httpx": Kind("an HTTP client", "Create it inside the task: with httpx.Client() as client."),
    "requests": Kind("an HTTP session", "Create it inside the task: with requests.Session() as session."),
    "aiohttp": Kind("an HTTP session", "Create it inside the task: async with aiohttp.ClientSession() as session."),
    "distributed": Kind(
        "a Dask client, cluster or future", "Choose an executor that starts with dask-; tasks then run there."
    ),
    "dask_gateway": Kind("a Dask cluster", "Choose an executor that starts with dask-; tasks then run there."),
    "tempfile": Kind("a temporary file", "Create it inside the task that uses it."),
    "weakref": Kind("a weak reference", INSIDE),
    "cupy": Kind("a GPU array", "Send it as a NumPy array: cupy.asnumpy(array)."),
    "numba": Kind("a GPU array", "Send it as a NumPy array: array.copy_to_host()."),
    "ipywidgets": Kind("a widget", "Send its value instead: widget.value."),
    "IPython": Kind("a part of the notebook itself", "Remove it: a flow run has no notebook."),
}
"""By the top-level module of the object's type."""

BY_TYPE: dict[str, Kind] = {
    "generator": Kind("a generator", "Create it inside the flow, or send a list: list(generator)."),
    "coroutine": Kind("a coroutine", "Await it inside the flow."),
    "async_generator": Kind("an asynchronous generator", "Create it inside the flow."),
    "frame": Kind("a stack frame", INSIDE),
    "traceback": Kind("a traceback", "Send its text: traceback.format_exc()."),
}

GPU = Kind("a tensor on a GPU", "Send it from the CPU: tensor.cpu().")
FILE = Kind("an open file", "Open it inside the task that reads or writes it; send its path.")

PICKLED_DEAD = frozenset({"distributed", "dask_gateway", "requests", "sqlalchemy", "redis"})
"""Modules with live objects that can be pickled, but are different or useless in another process."""
SURVIVORS = frozenset(
    {"Session", "Client", "Future", "Engine", "LocalCluster", "GatewayCluster", "SpecCluster", "Redis"}
)


def live(reached: Reached) -> Kind | None:
    """Return the kind of a live object; None for any other object and for unknown kinds."""
    kind = type(reached.value)
    module = kind.__module__.partition(".")[0]
    if reached.view.kind == "name" and not reached.view.problem:
        return None
    if isinstance(reached.value, io.IOBase):
        return None if isinstance(reached.value, (io.BytesIO, io.StringIO)) else FILE
    if module == "torch" and bool(getattr(reached.value, "is_cuda", False)):
        return GPU
    if not reached.view.problem and not (module in PICKLED_DEAD and kind.__name__ in SURVIVORS):
        return None
    return BY_TYPE.get(kind.__name__) or KINDS.get(module)
