"""What the hook adds to each cell: milliseconds between the end of a cell and the kernel's going on, in a real kernel.

The namespace holds three flows that reach tasks, helpers, a class and a large array, and 10, 1,000 or 20,000 other names. Each
cell changes a name that no flow uses, so the list is made and compared but not sent: what happens after almost every cell.

Prints one JSON line for each figure.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from figure import p50, p99, report
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from satflow_ext.kernel_calls import build_flows_call, parse_reply

CELLS = 200
ROOT = Path(__file__).parents[1]

NOTEBOOK = """
import numpy as np
from prefect import flow, task
data = np.zeros(2_000_000)
table = {f"key{i}": [i, str(i)] for i in range(100)}
class Model:
    def fit(self, x): return x * table["key1"][0]
def helper(x): return Model().fit(x) + data.sum()
@task(retries=2)
def work(x): return helper(x)
@flow
def first(n: int = 3): return [work(i) for i in range(n)]
@flow
def second(name: str, flag: bool = False): return first(2)
@flow
async def third(): return work(1)
"""

FILL = """
def _make(i):
    return (i, str(i), [i], {i: i}, float(i), lambda: i)[i %% 6]
globals().update({f"name{i}": _make(i) for i in range(%d)})
"""

TIMED = """
import time
_events = get_ipython().events
_hook = next(c for c in _events.callbacks["post_run_cell"] if type(getattr(c, "__self__", None)).__name__ == "FlowListHook")
_took = []
def _timed(result):
    _start = time.perf_counter()
    _hook(result)
    _took.append(time.perf_counter() - _start)
_events.unregister("post_run_cell", _hook)
_events.register("post_run_cell", _timed)
"""


def main() -> None:
    """Measure with few, many and very many names."""
    for names in (10, 1_000, 20_000):
        took = [seconds * 1000 for seconds in _measure(names)]
        report(f"kernel-hook.p50@{names}", p50(took), n=len(took))
        report(f"kernel-hook.p99@{names}", p99(took), n=len(took))


def _measure(names: int) -> list[float]:
    """Seconds that the hook took after each of many cells."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "HOME": home, "IPYTHONDIR": f"{home}/ipython", "PYTHONPATH": str(ROOT)}
        manager, client = start_new_kernel(kernel_name="python3", env=env)
        try:
            return _run(client, names)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _run(client: BlockingKernelClient, names: int) -> list[float]:
    for cell in (NOTEBOOK, FILL % names):
        _cell(client, cell)
    reply = client.execute(
        "", silent=True, store_history=False, user_expressions=build_flows_call(), reply=True, timeout=60
    )
    assert len(parse_reply(reply["content"]["user_expressions"])["flows"]) == 3  # type: ignore[arg-type]
    _cell(client, TIMED)
    for index in range(CELLS):
        _cell(client, f"changed = {index}")
    reply = client.execute("", silent=True, user_expressions={"took": "_took"}, reply=True, timeout=60)
    took: list[float] = json.loads(reply["content"]["user_expressions"]["took"]["data"]["text/plain"])
    return took[-CELLS:]


def _cell(client: BlockingKernelClient, code: str) -> None:
    reply = client.execute(code, reply=True, timeout=120)
    assert reply["content"]["status"] == "ok", reply["content"]


if __name__ == "__main__":
    main()
