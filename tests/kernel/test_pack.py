"""What packing tells, and what its pickle needs where it is read. What runs elsewhere is tested in test_corpus.py."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.notebooks import NOTEBOOKS

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel

ALONE = """
import pickle, sys
sys.modules["satflow_ext"] = None
print(repr(pickle.load(open(sys.argv[1], "rb")).fn()))
"""


@pytest.mark.parametrize("name", ["module_state", "imported_twice"])
def test_needs_nothing_of_satflow_to_be_read(name: str, module_kernel: Kernel, tmp_path: Path) -> None:
    """A Dask worker may have none."""
    notebook = next(each for each in NOTEBOOKS if each.name == name)
    module_kernel.open_notebook(notebook)
    body = module_kernel.pack("main")["body"]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, body], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == notebook.gives


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
