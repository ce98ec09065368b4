"""A million contents and manifests that nobody whom this machine trusts has signed so: none is unpickled."""

from __future__ import annotations

import ast
import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import satflow_ext

pytestmark = pytest.mark.slow

TOTAL = 1_000_000
SEED = "SATFLOW_TEST_SEED"
"""Environment variable with the seed of an earlier run, to have the same mutants again."""


def start(seed: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.runtime.mutants", str(seed), str(count)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def test_of_a_million_mutants_none_is_unpickled(capsys):
    seed = int(os.environ.get(SEED) or secrets.randbelow(10**9))
    children = [start(seed + number, TOTAL // 2) for number in range(2)]  # one for each core of a small machine
    reports = [json.loads(child.communicate()[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0], f"{SEED}={seed}"
    refused = {
        kind: sum((Counter(each[kind]) for each in reports), Counter())
        for kind in ("store", "pinned", "manifest", "replay")
    }
    with capsys.disabled():
        told = "; ".join(f"{kind} {dict(names)}" for kind, names in refused.items())
        sys.stdout.write(f"\n{TOTAL:,} mutants, {SEED}={seed}, refused: {told}\n")
    assert sum(names.total() for names in refused.values()) == TOTAL
    named = {name for names in refused.values() for name in names}
    assert named == {"ContentRefused", "NotTrusted", "SignatureWrong"}, f"{SEED}={seed}"
    assert [each["events"] for each in reports] == [{}, {}], f"{SEED}={seed}"
    for each in reports:  # the counters do count: the genuine ones, which hold no flow, are refused only then
        assert each["genuine"] == ["ContentRefused", "ContentRefused"]
        assert each["genuine events"] == {"satflow.unpickle": 2, "pickle.find_class": 2}


def test_nothing_unpickles_but_a_flow_run_and_a_kernel_that_was_asked_to():
    """Both take only what `envelope.opened` gave them; processes and Dask workers of a run what that run sends them."""
    package = Path(satflow_ext.__file__).parent
    places = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if unpickles(path)}
    in_processes_of_a_run = {"dask_tasks/worker_context.py", "dask_tasks/on_worker.py", "main_module.py"}
    what_it_has_pickled_itself = {"kernel/refusals.py", "exception_pickling.py"}
    a_trial_load_of_what_the_user_has_just_packed = {"run_template/fork.py"}
    results_that_a_trusted_key_signed = {"value_formats/formats.py"}
    loaded = {"runtime/load.py", "kernel/load_flow.py", *results_that_a_trusted_key_signed}
    assert places == {
        *loaded,
        *in_processes_of_a_run,
        *what_it_has_pickled_itself,
        *a_trial_load_of_what_the_user_has_just_packed,
    }


def unpickles(path: Path) -> bool:
    """Whether a module calls, or brings in, anything that unpickles."""
    names = {"loads", "load", "Unpickler"}
    makers = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "distributed.protocol"}
    return any(_unpickles(node, names, makers) for node in ast.walk(ast.parse(path.read_text())))


def _unpickles(node: ast.AST, names: set[str], makers: set[str]) -> bool:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr in names and node.value.id in makers
    if isinstance(node, ast.ImportFrom):
        return node.module in makers and bool(names & {each.name for each in node.names})
    return False
