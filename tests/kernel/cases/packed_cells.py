"""Flows that return an expression, packed by a kernel from the cells of a case and called in another process.

Cells of one case are separated by lines `# %%`. They are read as written: a line of a table has no other indentation.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from satflow_ext.errors import CannotPickle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.kernel_process import Kernel

SEPARATOR = "# %%\n"
LOAD = """
import json, os, pickle, sys
sys.modules["satflow_ext"] = None
answer, sys.stdout = sys.stdout, open(os.devnull, "w")
found = {}
for name, body in json.load(sys.stdin).items():
    try:
        found[name] = pickle.load(open(body, "rb")).fn()
    except BaseException as error:
        found[name] = repr(error)
print(json.dumps(found), file=answer)
"""
FLOW = "from prefect import flow\n@flow\ndef main(): return {}"


def returned_elsewhere(kernel: Kernel, cases: Mapping[str, tuple[str, str, object]], folder: Path) -> dict[str, object]:
    """What each case's expression gives in a process without SatFlow.

    One process loads them all, which is as good as one for each: a pickle leaves nothing behind.
    """
    bodies = {name: pack(kernel, cells, expression) for name, (cells, expression, _) in cases.items()}
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, input=json.dumps(bodies), cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def expected(cases: Mapping[str, tuple[str, str, object]]) -> dict[str, object]:
    return {name: value for name, (_, _, value) in cases.items()}


def refused(kernel: Kernel, cells: str, expression: str) -> CannotPickle:
    """The error with which a flow that returns the expression is refused."""
    with pytest.raises(CannotPickle) as caught:
        pack(kernel, cells, expression)
    return caught.value


def pack(kernel: Kernel, cells: str, expression: str) -> str:
    """Run the cells in an empty notebook, pack a flow that returns the expression, and give the file's path."""
    kernel.run("%reset -f")
    for cell in [*cells.split(SEPARATOR), FLOW.format(expression)]:
        kernel.run(cell)
    body: str = kernel.pack("main")["body"]
    return body
