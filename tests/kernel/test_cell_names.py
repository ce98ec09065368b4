"""Kernels name the file of a cell by a hash of its text, by which the front end finds the cell (src/runs/failedCells.ts)."""

from __future__ import annotations

import pytest
from ipykernel.compiler import murmur2_x86

from satflow_ext.runs.failure import find_cell_hash
from tests.kernel.kernel_process import PATIENCE

SEED = 0xC70F6907
FUNCTION = "def found():\n    return 1 / 0"

CELLS = {
    "plain": (FUNCTION, FUNCTION, 1),
    "line break at its end": (f"{FUNCTION}\n", f"{FUNCTION}\n", 1),
    "blank lines at its top": (f"\n  \n{FUNCTION}", f"\n  \n{FUNCTION}", 1),
    "indented": ("    def found():\n        return 1 / 0", "    def found():\n        return 1 / 0", 1),
    "characters beyond ASCII": (f"# é€𝄞\n{FUNCTION}", f"# é€𝄞\n{FUNCTION}", 2),
    "line magic": (f"%matplotlib --list\n{FUNCTION}", f"%matplotlib --list\n{FUNCTION}", 2),
    "command on two lines": (f"!true \\\n  x\n{FUNCTION}", f"!true \\\n  x\n{FUNCTION}", 2),
    "cell magic": (f"%%capture\n{FUNCTION}", f"{FUNCTION}\n", 1),
    "blank lines below a cell magic": (f"%%capture out\n\n{FUNCTION}\n", f"\n{FUNCTION}\n", 1),
}
"""Cell → its text, the text that is hashed, and the line at which the kernel has the function. The front end adds the lines of
blank lines and magics, and finds joined lines by their code."""


@pytest.mark.parametrize("name", CELLS)
def test_the_hash_is_that_of_the_raw_text(module_kernel, name):
    text, hashed, line = CELLS[name]
    module_kernel.client.execute(text, reply=True, timeout=PATIENCE)  # as it is: `send` dedents
    file, first = eval(module_kernel.value("(found.__code__.co_filename, found.__code__.co_firstlineno)"))
    assert find_cell_hash(file) == str(murmur2_x86(hashed, SEED))
    assert first == line


def test_a_timed_cell_has_no_name_of_its_own(module_kernel):
    module_kernel.send(f"%%time\n\n{FUNCTION}")
    file, first = eval(module_kernel.value("(found.__code__.co_filename, found.__code__.co_firstlineno)"))
    assert (file, first) == ("<timed exec>", 1)
