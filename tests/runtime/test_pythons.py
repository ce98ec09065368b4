"""Flows packed by one Python and read by another: told with both versions, never tried, and never a signal.

The interpreters are the one that runs the tests and those of this machine that `scripts/setup` found and gave what reads a flow
(`.venv/pythons`). Neither Debian nor PyPI has others, so what this machine lacks is skipped and named; the headers of other
Pythons are tried in both directions in `tests/registration/test_envelope.py`, on every machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.runtime.python_side import SIGNER

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SUPPORTED = ("3.10", "3.11", "3.12", "3.13")
THIS = "{}.{}".format(*sys.version_info)


def interpreters() -> dict[str, str]:
    """Python's minor version → interpreter."""
    others = {each.parents[1].name: str(each) for each in ROOT.glob(".venv/pythons/3.*/bin/python")}
    return {**others, THIS: sys.executable}


def run(python: str, *words: str) -> str:
    """What the other side printed. A signal would be a negative exit code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SATFLOW_TRUSTED_KEYS": SIGNER.public_key.text}
    command = [python, "-m", "tests.runtime.python_side", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, f"{python} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def full_version(python: str) -> str:
    command = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.check_output(command, text=True).strip()


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> dict[str, Path]:
    """Version → the flow that a Python of this machine packed."""
    folder, found = tmp_path_factory.mktemp("packed"), list(interpreters().values())
    with ThreadPoolExecutor(2) as pool:
        flows = [folder / version for version in pool.map(full_version, found)]
        list(pool.map(lambda python, flow: run(python, "pack", str(flow)), found, flows))
    return {flow.name: flow for flow in flows}


@pytest.mark.parametrize("minor", SUPPORTED)
def test_every_python_reads_its_own_and_names_the_others(minor, packed, tmp_path):
    if (python := interpreters().get(minor)) is None:
        pytest.skip(f"scripts/setup found no Python {minor} on this machine: nothing that it packs or reads is tested")
    reader = full_version(python)
    # Reading takes a content away, so each has copies of its own.
    copies = [shutil.copytree(flow, tmp_path / made) for made, flow in packed.items()]
    answers = json.loads(run(python, "load", *map(str, copies)))
    for made, answer in zip(packed, answers, strict=True):
        if made == reader:
            assert answer == {"value": 42}
        else:
            told = f"The flow was packed by CPython {made}; this flow run has CPython {reader}."
            assert answer == {"error": "PythonMismatch", "message": told}
