"""`satflow register` with a Python file and with a folder, as CI uses it."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest

from satflow_ext import cli
from satflow_ext.commands.register import select_flows
from satflow_ext.deployments import queries, versions
from satflow_ext.errors import BadRequest
from satflow_ext.models import VersionQuery, WrittenRegistration
from tests.git_command import git
from tests.notebook_files import write_notebook

FILE = """
from prefect import flow

@flow
def first(count: int = 1):
    return count

@flow
def second(count: int = {default}):
    return count

if __name__ == "__main__":
    raise SystemExit("nobody runs this file")
"""
CELL = "from prefect import flow\n@flow\ndef nightly():\n    return 1"


def said(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_python_file_of_a_repository(stack, tmp_path, capsys):
    path, name = tmp_path / "flows.py", f"py-{uuid4().hex[:8]}"
    path.write_text(FILE.format(default=1))
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "flows.py")
    git(tmp_path, "commit", "--quiet", "--message=first")
    assert cli.main(["register", f"{path}:second", "--name", name, "--json"]) == 0
    (made,) = said(capsys)
    assert (made["outcome"], made["deployment"]["flow_name"]) == ("created", "second")

    path.write_text(FILE.format(default=2))
    assert cli.main(["register", f"{path}:second", "--name", name, "--json", "--dry-run"]) == 0
    (would,) = said(capsys)
    assert (would["deployment"], would["outcome"]) == (f"second/{name}", "changed")
    assert would["diff"]["parameters"] == [{"name": "count", "before": "integer = 1", "after": "integer = 2"}]
    assert [change["name"] for change in would["diff"]["code"]] == ["flows.py:second"]

    assert cli.main(["register", f"{path}:second", "--name", name]) == 0
    assert f"second/{name}: changed, version 2" in capsys.readouterr().out, "the dry run has sent nothing"
    history = asyncio.run(_sources(stack, name))
    assert [source.commit.dirty for source in history] == [True, False]
    assert history[0].commit.id == history[1].commit.id
    assert [file.path for file in history[0].files] == ["flows.py"]


async def _sources(stack, name):
    found = await queries.find_deployment(stack.endpoints, name)
    page = await versions.list_versions(stack.endpoints, found.id, VersionQuery())
    return [(await versions.read_version(stack.endpoints, found.id, one.number)).source for one in page.versions]


def test_a_folder_registers_what_its_notebooks_say_and_stops_at_the_first_failure(stack, tmp_path, capsys):
    name = f"ci-{uuid4().hex[:8]}"
    write_notebook(tmp_path / "a" / "one.ipynb", CELL, f"%register_flow nightly --name {name} --cron '0 6 * * *'")
    write_notebook(tmp_path / "b.ipynb", "1 / 0", "no flow is registered here")
    write_notebook(tmp_path / ".ipynb_checkpoints" / "one.ipynb", "%register_flow nightly")
    assert cli.main(["register", str(tmp_path), "--json"]) == 0
    (made,) = said(capsys)
    assert (made["outcome"], made["deployment"]["schedules"][0]["cron"]) == ("created", "0 6 * * *")

    write_notebook(tmp_path / "c.ipynb", "1 / 0", "%register_flow nightly")
    write_notebook(tmp_path / "d.ipynb", CELL, "%register_flow nightly --name never")
    assert cli.main(["register", str(tmp_path), "--json"]) == 1
    again, failed = said(capsys)
    assert (again["outcome"], failed["error"]) == ("unchanged", "NotebookFailed")
    assert failed["path"].endswith("c.ipynb")
    assert "Cell 1" in failed["message"]


def test_what_a_path_means(tmp_path):
    choice = WrittenRegistration(tags=("x",))
    assert select_flows("flows.py:main", [], choice)[0].choices == (("main", choice),)
    assert select_flows("a.ipynb", ["f", "g"], choice)[0].choices == (("f", choice), ("g", choice))
    write_notebook(
        tmp_path / "n.ipynb",
        "  %register_flow a --tag x\n%register_flow a --name b\n# %register_flow c\n%register_flow --help",
    )
    (found,) = select_flows(str(tmp_path), [], WrittenRegistration())
    assert found.choices == (("a", choice), ("a", WrittenRegistration(name="b")))
    with pytest.raises(BadRequest, match="the %register_flow lines of its notebooks decide"):
        select_flows(str(tmp_path), [], choice)
