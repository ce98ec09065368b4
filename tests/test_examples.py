"""The example notebooks and the tutorial, run from top to bottom in a real kernel. `scripts/demo` runs `tiles.ipynb`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from satflow_ext.gateways.connection import connect_gateway, locate_gateway

ROOT = Path(__file__).parents[1]


def text_of(output):
    """The text of an output of a cell: what it printed, or its result."""
    return output.get("text") or output.get("data", {}).get("text/plain", "")


def execute(path, folder, monkeypatch):
    """Execute a notebook in that folder, and return the text of each code cell's outputs."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return ["".join(map(text_of, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.timeout(600)
def test_tutorial(stack, tmp_path, monkeypatch):
    texts = execute(ROOT / "docs" / "tutorial.ipynb", tmp_path, monkeypatch)
    _, report, registered, run, _, changed, difference, status = texts
    assert "can be registered" in report
    assert "1, registered" in registered
    assert re.search(r"pi is about 3\.1\d+, from 16 samples", run), run
    assert "Completed" in run
    assert "2, changed" in changed
    assert "06:30 CET" in changed or "06:30 CEST" in changed, changed
    assert "+def estimate(samples: int = 8, points: int = 400_000):" in difference
    assert "prefect-server ready" in status


@pytest.mark.timeout(600)
def test_scaling_out(stack, tmp_path, monkeypatch):
    texts = execute(ROOT / "examples" / "scaling_out.ipynb", tmp_path, monkeypatch)
    runs = [text for text in texts if "the steepest is at" in text]
    assert len(runs) == 2, "\n".join(texts)
    assert all("of 64 tiles" in said and "Completed" in said for said in runs), runs
    assert not any("anonymous usage" in said for said in runs)
    with locate_gateway("", stack.settings) as where, connect_gateway(where) as gateway:
        assert gateway.list_clusters() == []
