"""Files that are hardly notebooks, or not at all: each gives its flow, or one message. No local stack is needed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from satflow_ext.commands import notebook
from satflow_ext.errors import BadRequest, FlowNotFound, NotebookFailed

FLOW = "from prefect import flow\n@flow\ndef main(): pass"


def flows(path: Path) -> list[str]:
    """Execute a notebook; return the names of its flows."""

    async def execute() -> list[str]:
        async with notebook.execute_notebook(path, kernel=None, cell_timeout=None) as executed:
            return [flow.name for flow in await executed.find_flows([])]

    return asyncio.run(execute())


def content() -> dict[str, Any]:
    cell = nbformat.v4.new_code_cell(FLOW)
    document: dict[str, Any] = json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))
    return document


def with_kernelspec(spec: object) -> dict[str, Any]:
    return {**content(), "metadata": {"kernelspec": spec}}


def with_output(output: dict[str, Any]) -> dict[str, Any]:
    document = content()
    document["cells"][0]["outputs"] = [output]
    return document


def of_version_3() -> dict[str, Any]:
    cell = {"cell_type": "code", "input": FLOW, "language": "python", "outputs": [], "metadata": {}}
    worksheets = [{"cells": [cell], "metadata": {}}]
    return {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": worksheets}


def with_tags_of_other_tools() -> dict[str, Any]:
    """Cells that `nbclient` skips, and whose error it expects."""
    document, empty = content(), {"cell_type": "code", "outputs": [], "execution_count": None}
    skipped = {**empty, "id": "a", "metadata": {"tags": ["skip-execution"]}, "source": "import no_such_module"}
    raising = {**empty, "id": "b", "metadata": {"tags": ["raises-exception"]}, "source": "1 / 0"}
    document["cells"][:0] = [skipped, raising]
    return document


def with_null_tags() -> dict[str, Any]:
    document = content()
    document["cells"][0]["metadata"]["tags"] = None
    return document


NAN = {
    "output_type": "execute_result",
    "data": {"application/json": float("nan")},
    "metadata": {},
    "execution_count": 1,
}


@pytest.mark.stack
@pytest.mark.parametrize(
    "make",
    [
        lambda: with_kernelspec(None),
        lambda: with_kernelspec("python3"),
        lambda: with_kernelspec({"display_name": "Python 3"}),
        lambda: with_output(NAN),
        lambda: with_output({"output_type": "stream", "name": "stdout", "text": "z" * 9_000_000}),
        of_version_3,
        with_tags_of_other_tools,
        with_null_tags,
    ],
    ids=[
        *("kernelspec null", "kernelspec text", "kernelspec without name", "NaN", "large output", "version 3"),
        *("tags", "null tags"),
    ],
)
def test_gives_its_flow(make: Callable[[], dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_text(json.dumps(make()))
    assert flows(path) == ["main"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a notebook: Notebook does not appear to be JSON: ''."),
        (b"{}", "is not a notebook: Notebook could not be converted from version 1"),
        (b"[]", "is not a notebook: its JSON is not that of a notebook."),
        (b"3", "is not a notebook: its JSON is not that of a notebook."),
        (b"\x7fELF\xd0\xcb", "is not a notebook: 'utf-8' codec can't decode byte"),
        (b"\xef\xbb\xbf{}", "is not a notebook: Notebook does not appear to be JSON"),
        (json.dumps({**content(), "nbformat": 5}).encode(), "is not a notebook: Unsupported nbformat version 5."),
        (json.dumps(with_kernelspec({"name": "ir"})).encode(), "needs the kernel 'ir', which is not installed here."),
    ],
    ids=["empty", "object", "list", "number", "program", "byte order mark", "version 5", "kernel"],
)
def test_is_refused_in_one_message(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_bytes(content)
    with pytest.raises(BadRequest) as refused:
        flows(path)
    assert str(refused.value).startswith(f"{path} {message}")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="cannot be read: Is a directory"):
        flows(tmp_path)


@pytest.mark.stack
def test_text_alone_leaves_no_flow(tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Text")]), path)
    with pytest.raises(FlowNotFound, match="defines no flow"):
        flows(path)


@pytest.mark.stack
def test_a_read_only_folder(tmp_path: Path) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_text(json.dumps(content()))
    tmp_path.chmod(0o555)
    try:
        assert flows(path) == ["main"]
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.stack
def test_files_beside_the_notebook_have_names_of_standard_modules(tmp_path: Path) -> None:
    for name in ("queue.py", "secrets.py"):
        (tmp_path / name).write_text("X = 1")
    path = tmp_path / "odd.ipynb"
    path.write_text(json.dumps(content()))
    assert flows(path) == ["main"]


@pytest.mark.stack
def test_a_file_beside_the_notebook_is_imported_instead_of_a_package(tmp_path: Path) -> None:
    (tmp_path / "prefect.py").write_text("X = 1")
    path = tmp_path / "odd.ipynb"
    path.write_text(json.dumps(content()))
    with pytest.raises(NotebookFailed) as refused:
        flows(path)
    assert f"{tmp_path / 'prefect.py'}" in str(refused.value)
