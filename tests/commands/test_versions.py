"""`satflow versions`, `satflow diff` and `satflow rollback`, on two versions of one notebook."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from satflow_ext import cli
from satflow_ext.models import Registered, VersionDiff, VersionList
from tests.notebook_files import write_notebook

IMPORTS = "from prefect import flow, task, get_run_logger"
DOUBLE = "@task\ndef double(number):\n    return 2 * number"
FIRST = "@flow\ndef numbers(count: int = 3):\n    get_run_logger().info(f'made {[double(n) for n in range(count)]}')"
CLEAN = "@task\ndef clean(rows):\n    return rows[1:]"
SECOND = (
    "@flow\ndef numbers(count: int = 4, label: str = ''):\n    rows = double.map(range(count)).result()\n"
    "    get_run_logger().info(f'made {clean(rows)}')"
)


@pytest.fixture(scope="module")
def name(stack, tmp_path_factory):
    """A deployment with two versions."""
    path, name = tmp_path_factory.mktemp("notebook") / "numbers.ipynb", f"cli-{uuid4().hex[:8]}"
    versions = [(IMPORTS, DOUBLE, FIRST), (IMPORTS, DOUBLE, CLEAN, SECOND)]
    for cells, words in zip(versions, (["--cron", "0 6 * * *"], ["--tag", "nightly"]), strict=True):
        write_notebook(path, *cells)
        assert cli.main(["register", str(path), "--name", name, *words]) == 0
    return name


@pytest.fixture
def said(capsys):
    """What a command printed."""

    def run(*words):
        assert cli.main(list(words)) == 0
        return capsys.readouterr().out

    return run


DIFF = """\
Parameters:
  count: integer = 3 → integer = 4
  label: string = "" added
Choices:
  tags.nightly: nightly added
  schedule: 0 6 * * * (UTC) removed
Tasks of numbers:
  before  double
  after   double.map; clean ← double
  added: clean
  the other tasks are called in a different order, or use different results
Code, function clean added:
  @@ -0,0 +1,3 @@
  +@task
  +def clean(rows):
  +    return rows[1:]
Code, function numbers changed:
  @@ -1,3 +1,4 @@
   @flow
  -def numbers(count: int = 3):
  -    get_run_logger().info(f'made {[double(n) for n in range(count)]}')
  +def numbers(count: int = 4, label: str = ''):
  +    rows = double.map(range(count)).result()
  +    get_run_logger().info(f'made {clean(rows)}')
"""


def test_told_and_gone_back_to(name, said):
    lines = said("versions", name).splitlines()
    assert lines[0].startswith("*    2  ")
    assert lines[0].endswith("code of clean, numbers; parameter 2 changes; 2 changes") or "code of" in lines[0]
    assert lines[1].endswith("the first version")
    assert said("diff", name) == said("diff", name, "1", "2") == DIFF
    assert said("diff", name, "2", "2") == "Versions 2 and 2 do not differ.\n"

    assert f"numbers/{name}: changed, version 3" in said("rollback", name, "1")
    assert said("diff", name, "1", "3") == "Versions 1 and 3 do not differ.\n"
    found = VersionList.model_validate_json(said("versions", name, "--json", "--limit", "1"))
    assert (found.versions[0].number, found.versions[0].record.restores, found.next) == (3, 1, 3)
    assert VersionDiff.model_validate_json(said("diff", name, "2", "3", "--json")).tasks[0].removed == ("clean",)
    done = Registered.model_validate(json.loads(said("rollback", name, "3", "--json")))
    assert (done.outcome, done.deployment.version) == ("unchanged", 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["versions", "nobody"], "No deployment is called 'nobody'."),
        (["diff", "{name}", "1", "99"], "has no version 99. It has versions 1 to"),
        (["rollback", "{name}", "0"], "has no version 0."),
        (["versions", "{name}", "--befor", "2", "x"], "Unknown arguments: --befor 2 x."),
    ],
)
def test_a_mistake_is_one_message(name, capsys, words, message):
    assert cli.main([word.format(name=name) for word in words]) == 1
    assert message in capsys.readouterr().err
