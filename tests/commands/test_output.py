"""What the command line writes where the output's encoding lacks characters, and where nothing reads it any more."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from uuid import uuid4

import pytest

from satflow_ext import cli
from satflow_ext.cli import COMMANDS
from tests.notebook_files import write_notebook

FLOWS = """
from prefect import flow, get_run_logger

@flow(name="größe 🚀")
def rockets(what: str = "🛰"):
    print("printed 日本語")
    get_run_logger().info("logged %s é", what)
    raise ValueError("spät ✗")
"""


def satflow(*words, encoding="ascii", **options):
    """Run a command in the C locale, whose output has that encoding."""
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "satflow_ext.cli", *map(str, words)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, **options}
    return subprocess.run(command, timeout=240, check=False, **options)


@pytest.fixture
def notebook(tmp_path):
    """A notebook with the flow above."""
    return write_notebook(tmp_path / "größe.ipynb", FLOWS)


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_every_character_is_written_in_any_encoding(notebook, encoding):
    name = f"größe-{uuid4().hex[:8]}"
    checked = satflow("register", notebook, "--check", "--json", encoding=encoding)
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout.decode(encoding))["flow"] == "größe 🚀"

    made = satflow("register", notebook, "--name", name, "--json", encoding=encoding)
    assert made.returncode == 0, made.stderr
    deployment = json.loads(made.stdout.decode(encoding))["deployment"]
    assert (deployment["flow_name"], deployment["name"]) == ("größe 🚀", name)

    ran = satflow("run", f"größe 🚀/{name}", "--follow", encoding=encoding)
    shown = ran.stdout.decode(encoding)
    assert (ran.returncode, b"Traceback" in ran.stderr) == (1, False), ran.stderr
    assert escaped("logged 🛰 é", encoding) in shown
    assert escaped("Failed", encoding) in shown
    assert "UnicodeEncodeError" not in shown

    run_id = shown.split("(")[1].split(")")[0]
    for words in (("logs", run_id), ("versions", name)):
        done = satflow(*words, encoding=encoding)
        assert (done.returncode, done.stderr) == (0, b""), words
    missing = satflow("run", "größe/日本語", encoding=encoding)
    assert missing.returncode == 1
    message = missing.stderr.decode(encoding)
    assert message.startswith(escaped("satflow: No deployment is called 'größe/日本語'.", encoding))
    assert escaped(f"größe 🚀/{name}", encoding) in message, "among those that are known"


def escaped(text: str, encoding: str) -> str:
    """The text as it is written: what the encoding lacks, as JSON has it."""
    return "".join(each if fits(each, encoding) else json.dumps(each)[1:-1] for each in text)


def fits(text: str, encoding: str) -> bool:
    try:
        return bool(text.encode(encoding))
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_written_in_ascii(command, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert written.getvalue().startswith(f"usage: satflow {command}".encode())


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("words", [("status", "--json"), ("sizes",), ("keys", "list")])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nothing_is_said_where_the_reader_of_the_output_is_gone(words, unbuffered):
    with closed_pipe() as writing:
        done = satflow(*words, stdout=writing, env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.slow
def test_help_says_nothing_where_its_reader_is_gone():
    with closed_pipe() as writing:
        done = satflow("--help", stdout=writing)
    assert done.returncode in (0, 141), "argparse ignores that its own output is not taken"
    assert done.stderr == b""


@pytest.mark.slow
def test_both_outputs_may_be_closed_pipes():
    with closed_pipe() as writing:
        done = satflow("sizes", stdout=writing, stderr=writing)
    assert done.returncode == 141


@contextlib.contextmanager
def closed_pipe():
    """The end to write to of a pipe that nothing reads from."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)
