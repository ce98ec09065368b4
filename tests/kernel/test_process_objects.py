"""What belongs to a process travels by reference: its environment, arguments, streams and random state."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import types
from collections.abc import Callable

import pytest

from satflow_ext.kernel.fingerprint import compute_fingerprint
from satflow_ext.kernel.object_views import view_object
from satflow_ext.kernel.pickler import pickle_object
from satflow_ext.kernel.process_objects import is_environment_copy
from satflow_ext.kernel.reachable_objects import iterate_reachable

SECRET = "s3cr3t-of-the-kernel"
BOUND = {
    "environ": ("from os import environ", "environ is os.environ"),
    "environb": ("import os\nmine = os.environb", "mine is os.environb"),
    "a method of the environment": ("import os\nget = os.environ.get", "get('PLANTED') is None"),
    "the environment in an object": (
        "import os, types\nbox = types.SimpleNamespace(env=os.environ)",
        "box.env is os.environ",
    ),
    "a default": ("import os\ndef read(env=os.environ): return env", "read() is os.environ"),
    "a partial": ("import functools, os\nread = functools.partial(dict, os.environ)", "'PLANTED' not in read()"),
    "argv": ("from sys import argv", "argv is sys.argv"),
    "path": ("from sys import path", "path is sys.path"),
    "modules": ("from sys import modules", "modules is sys.modules"),
    "stdin": ("from sys import stdin", "stdin is sys.stdin"),
    "stdout": ("from sys import stdout", "stdout is sys.stdout"),
    "stderr": ("from sys import stderr", "stderr is sys.stderr"),
    "a stream's method": ("import sys\nwrite = sys.stderr.write", "write.__self__ is sys.stderr"),
    "the root logger": ("import logging\nlog = logging.getLogger()", "log is logging.getLogger()"),
    "a closure's variable": (
        "import sys\ndef make():\n    found = sys.path\n    return lambda: found\nread = make()",
        "read() is sys.path",
    ),
    "random numbers": ("from random import randint", "randint.__self__ is random._inst"),
    "random numbers of numpy": (
        "from numpy.random import rand",
        "rand.__self__ is __import__('numpy').random.mtrand._rand",
    ),
}
CALL = "import logging, os, pickle, random, sys; print(pickle.load(sys.stdin.buffer)())"


@pytest.mark.parametrize("name", BOUND)
def test_gives_that_of_the_process_that_reads_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED", SECRET)
    cell, check = BOUND[name]
    notebook = types.ModuleType("__main__")
    exec(f"{cell}\ndef main():\n    import logging, os, random, sys\n    return {check}\n", vars(notebook))
    vars(notebook)["__name__"] = "__main__"
    file = io.BytesIO()
    pickle_object(notebook.main, file, 1 << 30)
    assert SECRET.encode() not in file.getvalue()
    monkeypatch.delenv("PLANTED")
    done = subprocess.run([sys.executable, "-c", CALL], input=file.getvalue(), capture_output=True, check=False)
    assert done.stdout.strip() == b"True", done.stderr.decode()


def test_a_copy_of_the_environment_is_a_problem_and_a_few_variables_are_not() -> None:
    assert view_object(dict(os.environ)).problem
    assert view_object({**os.environ, "MORE": "1"}).problem
    assert view_object({"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]}).problem is None
    assert not is_environment_copy({f"k{index}": index for index in range(1000)})


@pytest.mark.parametrize("cell", ["from sys import argv as found", "from sys import path as found"])
def test_its_fingerprint_does_not_depend_on_the_process(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = types.ModuleType("__main__")
    exec(f"{cell}\ndef main(): return found\n", vars(notebook))
    before = compute_fingerprint(notebook.main, exact=True)
    monkeypatch.setattr(sys, "argv", [*sys.argv, "more"])
    monkeypatch.setattr(sys, "path", [*sys.path, "/more"])
    exec(f"{cell}\ndef main(): return found\n", vars(notebook))
    assert compute_fingerprint(notebook.main, exact=True) == before


@pytest.mark.parametrize("make", [lambda copy: copy, lambda copy: [copy], lambda copy: {"env": copy}])
def test_a_copy_of_the_environment_is_found_in_containers_when_packing(make: Callable[[object], object]) -> None:
    found = iterate_reachable(make(dict(os.environ)), "env", visit_plain_data=False)
    assert any(each.view.problem for each in found)
