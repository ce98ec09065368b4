"""Files of notebooks."""

from __future__ import annotations

import json
from pathlib import Path

SUM_FLOW = """
from prefect import flow, task

@task
def double(number):
    return 2 * number

@flow(log_prints=True)
def main(count: int = 4):
    print("sum", sum(double.map(range(count)).result()))
"""
"""A cell with a flow that maps a task, and prints `sum 12`."""


def write_notebook(path: Path, *cells: str, kernel: str | None = None) -> Path:
    """Write a notebook.

    Args:
        path: the file; its folders are made.
        cells: the sources of its code cells.
        kernel: the name of the kernel that it names, if any.

    Returns:
        The file.
    """
    source = [
        {"cell_type": "code", "id": f"c{n}", "source": text, "metadata": {}, "outputs": [], "execution_count": None}
        for n, text in enumerate(cells)
    ]
    spec = {"kernelspec": {"display_name": kernel, "language": "python", "name": kernel}} if kernel else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": source, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path
