"""Data, names and objects of libraries among a notebook's globals: each gives its value in another process, or is refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.cases.packed_cells import expected, pack, refused, returned_elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.kernel_process import Kernel

DATA = {
    "simple namespace": ("import types\nbox = types.SimpleNamespace(a=1)", "box.a", 1),
    "read-only mapping": ("import types\nview = types.MappingProxyType({'a': 1})", "view['a']", 1),
    "memory view": ("view = memoryview(b'abc')", "(view[0], bytes(view).decode())", [97, "abc"]),
    "module made in a cell": (
        "import types\nmade = types.ModuleType('made')\nexec('def three(): return 3', vars(made))",
        "made.three()",
        3,
    ),
    "functions in a dict": (
        "table = {'add': lambda n: n + 1, 'upper': str.upper, 'append': [].append}",
        "(table['add'](1), table['upper']('a'), table['append'](1))",
        [2, "A", None],
    ),
    "modules under other names": (
        "import json as j, numpy as np, os.path as p\nmodules = {'np': np, 'j': j}",
        "(modules['j'].dumps(1), p.join('a', 'b'), int(modules['np'].int8(3)))",
        ["1", "a/b", 3],
    ),
    "counter": ("import itertools\ncounter = itertools.count(5)\nnext(counter)", "next(counter)", 6),
    "random numbers": (
        "import random, numpy as np\nstates = random.Random(1), np.random.default_rng(1)\n"
        "first = [random.Random(1).random(), np.random.default_rng(1).random()]",
        "[state.random() for state in states] == first",
        True,
    ),
    "time zone": (
        "import datetime, zoneinfo\nday = datetime.datetime(2025, 1, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))",
        "day.isoformat()",
        "2025-01-01T00:00:00+01:00",
    ),
    "context variable": (
        "from contextvars import ContextVar\nlevel = ContextVar('level', default=1)\nlevel.set(2)",
        "level.get()",
        1,
    ),
    "logger with a handler": (
        "import logging\nlog = logging.getLogger('cases.file')\nlog.addHandler(logging.FileHandler('cases.log'))",
        "(log.name, log is __import__('logging').getLogger('cases.file'))",
        ["cases.file", True],
    ),
    "function named like a builtin": ("def print(*words): return 'mine'", "print(1)", "mine"),
    "class and value named like builtins": (
        "class list(list):\n    def total(self): return sum(self)\nid = 5\nnumbers = list([1, 2])",
        "(numbers.total(), id)",
        [3, 5],
    ),
    "default that is a table": (
        "import pandas as pd\nfrom prefect import flow\ntable = pd.DataFrame({'a': [0.5, 1.5]})\n"
        "@flow(validate_parameters=False)\ndef add(table: pd.DataFrame = table): return float(table.a.sum())",
        "add.fn()",
        2.0,
    ),
}

LIBRARIES = {
    "vectorized function": (
        "import numpy as np\nplus = np.vectorize(lambda n: n + 1)",
        "plus([1, 2]).tolist()",
        [2, 3],
    ),
    "array in a file": (
        "import numpy as np\narray = np.memmap('cases.array', dtype='f4', mode='w+', shape=(10,))\narray[:] = 2",
        "float(array.sum())",
        20.0,
    ),
    "delayed computation": (
        "import dask\nplus = dask.delayed(lambda n: n + 1)(1)",
        "plus.compute(scheduler='synchronous')",
        2,
    ),
    "display of the notebook": ("from IPython.display import HTML, display", "display(HTML('x'))", None),
    "print of rich": ("from rich import print", "print.__module__", "rich"),
    "statement of SQLAlchemy": (
        "import sqlalchemy as sa\nquery = sa.text('select 1 where 1 = :x')",
        "str(query)",
        "select 1 where 1 = :x",
    ),
    "session maker of SQLAlchemy": (
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import sessionmaker\nmake = sessionmaker()",
        "make(bind=sa.create_engine('sqlite://')).execute(sa.text('select 7')).scalar()",
        7,
    ),
    "session of boto3": (
        "import boto3\nsession = boto3.Session(region_name='eu-west-1')",
        "session.region_name",
        "eu-west-1",
    ),
}

REFUSED = {
    "list in lists": (
        "deep = []\nfor _ in range(3000): deep = [deep]",
        "len(deep)",
        "main -> deep (list): Could not pickle object as excessively deep recursion required.",
    ),
    "linked list": (
        "class Node:\n    def __init__(self, next): self.next = next\nnode = None\nfor _ in range(3000): node = Node(node)",
        "node.next is None",
        "main -> node (__main__.Node): Could not pickle object as excessively deep recursion required.",
    ),
    "values of a thread": (
        "import threading\nlocal = threading.local()\nlocal.a = 1",
        "local.a",
        "main -> local (_thread._local): cannot pickle",
    ),
    "pool of threads": (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)",
        "pool.submit(int, '3').result()",
        "main -> pool._shutdown_lock (_thread.lock): cannot pickle",
    ),
    "weak dictionary": (
        "import weakref\nweak = weakref.WeakValueDictionary()",
        "len(weak)",
        "main -> weak._remove -> (default) (weakref.ReferenceType): cannot pickle",
    ),
    "TLS context": (
        "import ssl\ncontext = ssl.create_default_context()",
        "context.check_hostname",
        "main -> context (ssl.SSLContext): cannot pickle",
    ),
    "hash": (
        "import hashlib\nmade = hashlib.sha256(b'a')",
        "made.hexdigest()",
        "main -> made (_hashlib.HASH): cannot pickle",
    ),
    "binary format": (
        "import struct\nform = struct.Struct('<i')",
        "form.size",
        "main -> form (_struct.Struct): cannot pickle",
    ),
    "function of NumPy made of a lambda": (
        "import numpy as np\nplus = np.frompyfunc(lambda n: n + 1, 1, 1)",
        "plus(1)",
        "main -> plus (numpy.ufunc): Can't pickle <ufunc '<lambda> (vectorized)'>",
    ),
    "client of httpx": (
        "import httpx\nclient = httpx.Client()",
        "client.timeout",
        "main -> client._cookies.jar._cookies_lock (_thread.RLock): cannot pickle",
    ),
    "client of boto3": (
        "import boto3\ns3 = boto3.client('s3', region_name='eu-west-1', aws_access_key_id='a', aws_secret_access_key='b')",
        "s3.meta.region_name",
        "main -> s3._endpoint._lock (_thread.lock): cannot pickle",
    ),
}

LARGE = {
    "numbers": ("numbers = list(range(3_000_000))", "len(numbers)"),
    "table of texts": (
        "import pandas as pd\ntable = pd.DataFrame({'a': pd.Series([str(n) for n in range(500_000)], dtype=object)})",
        "len(table)",
    ),
}
SOON = 15
"""Seconds; packing takes less than one, and would take minutes if each value was an object of its own."""


@pytest.mark.parametrize("cases", [DATA, LIBRARIES], ids=["data", "libraries"])
def test_travels(cases: dict[str, tuple[str, str, object]], module_kernel: Kernel, tmp_path: Path) -> None:
    assert returned_elsewhere(module_kernel, cases, tmp_path) == expected(cases)


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str, module_kernel: Kernel) -> None:
    cells, expression, message = REFUSED[name]
    error = refused(module_kernel, cells, expression)
    assert error.message.startswith(f"Flow 'main' cannot be pickled: {message}")
    assert not error.message.endswith("..")
    assert str(error.fix).startswith("Create it inside the flow, a task or a setup cell")


@pytest.mark.parametrize("name", LARGE)
def test_large_data_are_packed_soon(name: str, module_kernel: Kernel) -> None:
    start = time.monotonic()
    pack(module_kernel, *LARGE[name])
    assert time.monotonic() - start < SOON
