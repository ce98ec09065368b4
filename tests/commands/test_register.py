"""The command line on the real local stack, as a terminal or a CI job uses it."""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path

import pytest

from satflow_ext import cli
from tests.bad_clusters import BAD
from tests.satflow_command import satflow

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "tiles.ipynb"

FLOWS = """
from prefect import flow, get_run_logger

@flow
def greets(name: str = "world"):
    get_run_logger().info("hello %s", name)

@flow
def fails():
    raise RuntimeError("no such luck")
"""


@pytest.mark.usefixtures("stack")
def test_registers_runs_and_shows(notebook, name):
    path = notebook(FLOWS)
    (path.parent / "data.csv").write_text("1,2\n" * 1024)
    words = ("register", path, "--flow", "greets", "--name", name, "--include", "*.csv")
    first = satflow(*words, "--cron", "0 6 * * *", "--timezone", "Europe/Berlin")
    assert first.returncode == 0, first.stderr
    assert "\n  data files: 1 (4.0 KiB)\n" in first.stdout
    assert f"greets/{name}: created, version 1" in first.stdout
    assert first.stdout.count("06:00 CE") == 5

    again = satflow(*words, "--cron", "0 6 * * *", "--timezone", "Europe/Berlin")
    assert f"greets/{name}: unchanged, version 1" in again.stdout, "another kernel gives the same fingerprint"

    ran = satflow("run", name, "--param", "name=moon", "--follow")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "hello moon" in ran.stdout
    assert "Completed after" in ran.stdout

    run_id = ran.stdout.split("(")[1].split(")")[0]
    assert "hello moon" in satflow("logs", run_id).stdout


LINES = """
import sys
from prefect import flow, get_run_logger

@flow(log_prints=True)
def writes():
    print("x" * 200_000)
    print("\\r1/5", end="")
    print("\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07 bell")
    print("nul \\x00 end")
    print("🍜 ünïcode 中文")
    sys.stderr.write("25%|###|\\r")
    get_run_logger().info("several\\nlines")
    print("the end")
"""


@pytest.mark.usefixtures("stack")
def test_lines_of_all_kinds_are_shown(notebook, name):
    """The notebook runs its flow in its last cell, behind a proxy that no command may use for this machine."""
    proxy = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    socks = dict.fromkeys(("ALL_PROXY", "all_proxy"), "socks5://127.0.0.1:9")
    environment = {**os.environ, **proxy, **socks, "PYTHONIOENCODING": "utf-8"}
    path = notebook(LINES, "if __name__ == '__main__':\n    writes()")
    made = satflow("register", path, "--name", name, env=environment)
    assert made.returncode == 0, made.stderr
    ran = satflow("run", f"writes/{name}", "--follow", env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    expected = ("red", " bell", "🍜 ünïcode 中文", "several", "lines", "the end")
    assert [text for text in expected if text not in ran.stdout] == []
    assert "Completed after" in ran.stdout


@pytest.mark.usefixtures("stack")
def test_all_flows_are_registered_where_none_is_named(notebook, name):
    done = satflow("register", notebook(FLOWS), "--name", name)
    assert f"greets/{name}: created" in done.stdout
    assert f"fails/{name}: created" in done.stdout


@pytest.mark.usefixtures("stack")
def test_failed_run_is_exit_code_1(notebook, name):
    satflow("register", notebook(FLOWS), "--flow", "fails", "--name", name)
    ran = satflow("run", f"fails/{name}", "--follow")
    assert ran.returncode == 1
    assert "no such luck" in ran.stdout
    assert "Failed after" in ran.stdout


@pytest.mark.usefixtures("stack")
def test_text_of_parameters_is_read_by_their_types(notebook, name, capsys):
    path = str(notebook(FLOWS))
    words = ["--flow", "greets", "--name", name, "--param", "name=12345"]
    assert cli.main(["register", path, *words, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["deployment"]["parameters"] == {"name": "12345"}
    assert cli.main(["register", path, *words, "--dry-run"]) == 0
    assert capsys.readouterr().out == f"greets/{name}: would be unchanged\n"


@pytest.mark.usefixtures("stack")
def test_example_runs_on_dask_with_its_cluster_shown(name, tmp_path):
    made = satflow("register", EXAMPLE, "--executor", "dask-local", "--n-workers", "2", "--name", name)
    assert made.returncode == 0, made.stderr
    words = ["--param", "tile_size=128", "--param", f"folder={tmp_path}"]
    ran = satflow("run", f"tiles/{name}", *words, "--follow", "--show-cluster")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "dask │ 2/2 workers" in ran.stdout
    assert (tmp_path / "vegetation.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("cells", "words", "said"),
    [
        ([FLOWS], ["--flow", "greet"], "has no flow called 'greet'. It has greets, fails."),
        (["x = 1"], [], "defines no flow"),
        (["x = 1", "1 / 0"], [], "Cell 2 of"),
        ([FLOWS], ["--executor", "spark"], "No executor is called 'spark'."),
        ([FLOWS], ["--cron", "* * * * * *"], "A cron expression has five fields"),
        ([FLOWS], ["--interval", "0"], "0 seconds is not valid"),
        ([FLOWS], ["--cron", "0 6 * * *", "--interval", "60"], "A cron line and an interval are both given."),
        ([FLOWS], ["--timezone", "Mars/Base", "--interval", "60"], "No time zone is called 'Mars/Base'."),
        ([FLOWS], ["--flow", "greets", "--param", "name"], "The parameter 'name' lacks a name or a value."),
        ([FLOWS], ["--flow", "greets", "--param", "nam=x"], "nam"),
        ([FLOWS], ["--n-workers"], "Executor options come in pairs"),
        ([FLOWS], ["--executor", "dask-local", "--workers", "2"], "has no option 'workers'"),
        ([FLOWS], ["--work-pool", "nowhere"], "Prefect has no work pool called 'nowhere'."),
        ([FLOWS], ["--gpus", "1", "--flow", "greets"], "has no job variable for gpus."),
        ([FLOWS], ["--env", "API_TOKEN=b7e23ec29af22b0b4e41da31e868d572"], "API_TOKEN looks like a credential"),
        ([FLOWS], ["--kernel", "no-such-kernel"], "no-such-kernel"),
    ],
)
@pytest.mark.usefixtures("stack")
def test_mistake_is_one_clear_message(notebook, capsys, cells, words, said):
    assert cli.main(["register", str(notebook(*cells)), *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("stack")
def test_clusters_that_nobody_can_have(notebook, capsys):
    path = str(notebook(FLOWS))
    for bad in BAD.values():
        assert cli.main(["register", path, "--flow", "greets", *bad.flags]) == 1
        told = capsys.readouterr().err
        assert bad.said in told
        assert "Traceback" not in told


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["register", "missing.ipynb"], "There is no notebook missing.ipynb."),
        (["register", str(ROOT / "README.md")], "is not a notebook"),
        (["register", "missing.py"], "There is no file missing.py."),
        (["register", str(ROOT / "src")], "has a %register_flow"),
        (["run", "no-such-deployment"], "No deployment is called 'no-such-deployment'."),
        (["logs", "00000000-0000-0000-0000-000000000000"], "No flow run has the id"),
        (["logs", "not-an-id"], "No flow run has the id"),
        (["logs", "not-an-id", "--follow"], "No flow run has the id"),
    ],
)
def test_what_is_not_there_is_said(capsys, words, said):
    assert cli.main(words) == 1
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("stack")
def test_the_lock_of_a_deployment(notebook, name, capsys):
    done = satflow("register", notebook(FLOWS), "--flow", "greets", "--name", name)
    assert done.returncode == 0, done.stderr

    def printed(*flags):
        assert cli.main(["environment", name, *flags]) == 0
        return capsys.readouterr().out

    assert "  prefect " in printed()
    requirements = printed("--requirements")
    assert f"\nprefect=={version('prefect')}\n" in requirements
    assert "# satflow-ext" in requirements
    assert "FROM python:3." in printed("--containerfile")


@pytest.mark.slow
def test_check_reports_on_each_flow_and_sends_nothing(notebook):
    path = notebook(FLOWS, "import threading\nlock = threading.Lock()\n@flow\ndef waits():\n    lock.acquire()")
    done = satflow("register", path, "--check", "--json")
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["flow"]: [found["where"] for found in each["findings"]] for each in reports} == {
        "greets": [],
        "fails": [],
        "waits": ["waits -> lock"],
    }
    assert [each["rehearsed"] is not None for each in reports] == [True, True, False]
    assert done.returncode == 1
