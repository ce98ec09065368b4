"""Flows packed by one Python and read by another: told with both versions, never tried, and never a signal.

The interpreters are the one that runs the tests and those of this machine that `scripts/setup` found and gave what reads a flow
(`.venv/pythons`). Neither Debian nor PyPI has others, so on a machine with one Python only that one reads itself here; the
headers of other Pythons are tried in both directions in `tests/registration/test_envelope.py`, on every machine.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.runtime.python_side import SIGNER

ROOT = Path(__file__).parents[2]


def pythons() -> dict[str, str]:
    """Version → interpreter."""
    others = sorted(ROOT.glob(".venv/pythons/3.*/bin/python"))
    versions = [
        subprocess.check_output([each, "-c", "import platform; print(platform.python_version())"], text=True).strip()
        for each in others
    ]
    return {platform.python_version(): sys.executable, **dict(zip(versions, map(str, others), strict=True))}


def run(python: str, *words: str) -> str:
    """What the other side printed. A signal would be a negative exit code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SATFLOW_TRUSTED_KEYS": SIGNER.public_key.text}
    command = [python, "-m", "tests.runtime.python_side", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, f"{python} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def test_every_python_reads_its_own_and_names_the_others(tmp_path, capsys):
    found = pythons()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda made: run(found[made], "pack", str(tmp_path / made)), found))
        answers = dict(zip(found, pool.map(lambda reader: read_all(found, reader, tmp_path), found), strict=True))
    with capsys.disabled():
        sys.stdout.write(f"\nPythons that read each other's flows: {', '.join(found)}\n")
    for reader, of in answers.items():
        for made, answer in zip(found, of, strict=True):
            if made == reader:
                assert answer == {"value": 42}
            else:
                told = f"The flow was packed by CPython {made}; this flow run has CPython {reader}."
                assert answer == {"error": "PythonMismatch", "message": told}


def read_all(found: dict[str, str], reader: str, folder: Path) -> list[dict[str, object]]:
    """What one Python says of the flows of all. Reading takes a content away, so each has copies of its own."""
    copies = [shutil.copytree(folder / made, folder / f"{made} for {reader}") for made in found]
    return json.loads(run(found[reader], "load", *map(str, copies)))
