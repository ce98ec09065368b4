"""The example notebooks, run from top to bottom in a real kernel. `tiles.ipynb` is what `scripts/demo` runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from satflow_ext.gateways.connection import connect_gateway, locate_gateway

EXAMPLES = Path(__file__).parents[1] / "examples"


def said_by(notebook):
    """What each cell printed."""
    return [
        "".join(each.get("text", "") for each in cell.outputs) for cell in notebook.cells if cell.cell_type == "code"
    ]


@pytest.mark.timeout(600)
def test_scaling_out(stack, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    notebook = nbformat.read(EXAMPLES / "scaling_out.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    runs = [said for said in said_by(notebook) if "the steepest is at" in said]
    assert len(runs) == 2, "\n".join(said_by(notebook))
    assert all("of 64 tiles" in said and "Completed" in said for said in runs), runs
    assert not any("anonymous usage" in said for said in runs)
    with locate_gateway("", stack.settings) as where, connect_gateway(where) as gateway:
        assert gateway.list_clusters() == []
