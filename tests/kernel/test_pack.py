"""What is packed in a notebook runs in a process that knows nothing of the notebook, against a real Prefect server."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.corpus import CASES, Case

if TYPE_CHECKING:
    from tests.conftest import Stack
    from tests.kernel.conftest import Kernel

RUN_ALL = """
import asyncio, concurrent.futures, inspect, json, pickle, sys, traceback
def run(body, parameters):
    try:
        flow = pickle.load(open(body, "rb"))
        result = flow(**parameters)
        if inspect.iscoroutine(result): result = asyncio.run(result)
        return repr(list(result) if inspect.isgenerator(result) else result)
    except BaseException:
        return traceback.format_exc()
jobs = json.load(open(sys.argv[1]))
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    results = list(pool.map(run, *zip(*jobs.values())))
assert not [name for name in sys.modules if name.partition(".")[0] in ("satflow_ext", "helpers", "pkg", "steps")]
json.dump(dict(zip(jobs, results)), open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def results(module_kernel: Kernel, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every case packed in a kernel; then, with the kernel gone, all run in one clean process."""
    packed = {each.name: (_pack(module_kernel, each), each.parameters) for each in CASES}
    module_kernel.stop()
    folder = tmp_path_factory.mktemp("clean")
    (folder / "jobs.json").write_text(json.dumps(packed))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    api = stack.endpoints.prefect
    env |= {"PREFECT_API_URL": api.url, "PREFECT_API_AUTH_STRING": api.auth_string or ""}
    env |= {"PREFECT_HOME": str(folder / "home"), "PREFECT_LOGGING_LEVEL": "ERROR", "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    command = [sys.executable, "-c", RUN_ALL, str(folder / "jobs.json"), str(folder / "results.json")]
    subprocess.run(command, cwd="/", env=env, check=True, timeout=240)
    assert list((folder / "tmp").glob("satflow-*")) == []
    answers: dict[str, str] = json.loads((folder / "results.json").read_text())
    return answers


def _pack(kernel: Kernel, each: Case) -> str:
    kernel.open_notebook(each)
    return str(kernel.pack("main", each.parameters, has_schedule=True)["body"])


@pytest.mark.parametrize("each", CASES, ids=lambda each: each.name)
def test_runs_where_the_notebook_is_unknown(each: Case, results: dict[str, str]) -> None:
    assert results[each.name] == each.expected


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 20


def test_tells_what_was_packed(kernel: Kernel) -> None:
    kernel.run("from prefect import flow, task\nunrelated = 1")
    kernel.run("@task\ndef work(): return 1")
    kernel.run("# between\nother = 2")
    kernel.run("@flow\ndef main(n: int = 1): return work()")
    packed = kernel.pack("main")
    body = Path(packed["body"])
    assert body.parent == kernel.home / "packed"
    assert stat.S_IMODE(body.stat().st_mode) == 0o600
    assert body.stat().st_size == packed["size"]
    assert packed["flow"] == kernel.flows()[0]
    assert [cell["text"] for cell in packed["source"]["cells"]] == [
        "@task\ndef work(): return 1",
        "@flow\ndef main(n: int = 1): return work()",
    ]
    environment = packed["environment"]
    assert environment["executable"] == sys.executable
    assert environment["magic"] == __import__("importlib.util").util.MAGIC_NUMBER.hex()
    packages = {each["name"]: each for each in environment["distributions"]}
    assert packages["prefect"]["version"] == __import__("prefect").__version__
    assert {"jupyter-server", "cloudpickle"} <= packages.keys()
    assert packages["satflow-ext"]["origin"]["editable"]
    assert packed["uses"] == ["cloudpickle", "prefect"]


def test_the_exact_fingerprint_sees_what_the_sampled_one_does_not(kernel: Kernel) -> None:
    kernel.run(
        "from prefect import flow\nimport numpy as np\ndata = np.zeros(1_000_000)\n@flow\ndef main(): return data.sum()"
    )
    before = kernel.pack("main")
    kernel.run("data[333_333] = 1")
    after = kernel.pack("main")
    assert before["flow"]["fingerprint"] == after["flow"]["fingerprint"]
    assert before["exact"] != after["exact"]
