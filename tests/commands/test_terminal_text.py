"""Text from elsewhere in a terminal: it can color, and nothing else."""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
import sys
from uuid import uuid4

import pytest
from prefect import flow

from satflow_ext import cli
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.commands import doctor, watch
from satflow_ext.errors import BadRequest
from satflow_ext.terminal_text import TerminalOutput, show_controls
from tests.clusters.statuses import status
from tests.notebook_files import write_notebook
from tests.prefect_clients import stock_client

OBEYED = re.compile(r"\x1b(?!\[[0-9;:]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What no output may have: controls but tab, line feed and complete color sequences."""

ATTACKS = {
    "clipboard": "\x1b]52;c;cm0gLXJmIH4K\x07",
    "clipboard, 8 bit": "\x9d52;c;cm0gLXJmIH4K\x9c",
    "title": "\x1b]0;root@prod\x1b\\",
    "clear screen": "\x1b[2J\x1b[H",
    "clear screen, 8 bit": "\x9b2J",
    "cursor up": "\x1b[1A\x1b[2K12:00:00 INFO    │ all is well",
    "forged line": "real\r12:00:00 INFO    │ forged",
    "backspaces": "rm -rf\b\b\b\b\b\bls    ",
    "hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "device control": "\x1bP+q544e\x1b\\",
    "answerback": "\x05\x1b[c\x1b[6n",
    "alternate screen": "\x1b[?1049h",
    "incomplete color": "\x1b[31",
    "color with a control in it": "\x1b[3\x1b[2J1m",
    "private color": "\x1b[>4;2m",
    "reset": "\x1bc",
    "direction": "\u202egnp.exe\u2066",
    "delete": "\x7f",
    "null": "\x00",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_obeyed_and_everything_is_shown(name):
    attack = ATTACKS[name]
    shown = show_controls(f"before {attack} after")
    assert not OBEYED.search(shown)
    assert shown.startswith("before ")
    assert "after" in shown


def test_all_characters():
    every = "".join(chr(number) for number in range(0x3000) if not 0xD800 <= number < 0xE000)
    assert not OBEYED.search(show_controls(every))


@pytest.mark.parametrize("text", ["größe 🚀 \U0001f469‍\U0001f52c", "tab\tand\nline", "\x1b[1;38;5;196mred\x1b[0m", ""])
def test_what_is_harmless_stays(text):
    assert show_controls(text) == text


def test_colors_end_with_their_line():
    assert show_controls("\x1b[8;31mhidden\nnext\r\nlast") == "\x1b[8;31mhidden\x1b[0m\nnext\nlast"


@pytest.mark.parametrize("begin", ["\x1b[31mred", "\x07"], ids=["color", "bell"])
def test_the_time_grows_with_the_length_of_a_line_and_not_with_its_square(begin):
    """Otherwise this test would run for hours."""
    colored, long = f"{begin}\x1b[1m", "{" + "x" * 2_000_000 + "}"
    shown = show_controls(f"{long}\n{colored}{long}\n{long}{colored}\n{long}")
    assert shown.split("\n")[0] == shown.split("\n")[3] == long
    assert shown.split("\n")[1].endswith(f"{long}\x1b[0m")
    assert shown.split("\n")[2].endswith("\x1b[1m\x1b[0m")


def test_json_stays_valid():
    out = io.StringIO()
    text = "".join(ATTACKS.values())
    print(json.dumps({"name": text}, ensure_ascii=False), file=TerminalOutput(out))
    assert json.loads(out.getvalue()) == {"name": text}
    assert not OBEYED.search(out.getvalue())


@pytest.mark.parametrize("name", ATTACKS)
def test_errors_and_findings_are_shown_too(name, capsys, monkeypatch):
    def refuse(*_):
        sys.stdout.write(ATTACKS[name])
        raise BadRequest(f"No {ATTACKS[name]} here.")

    monkeypatch.setattr(doctor, "run", refuse)
    assert cli.main(["doctor"]) == 1
    written = capsys.readouterr()
    assert "No " in written.err
    assert not OBEYED.search(written.out + written.err)


FORGED = "12:00:00 INFO    │ forged"
LOGGING = f"""
from prefect import flow, get_run_logger

@flow(flow_run_name="named \\x1b[2J\\x9b2J")
def attacks():
    for name, text in {ATTACKS!r}.items():
        get_run_logger().info("attack %s", text.replace("\\x00", ""))
    get_run_logger().info("first\\n{FORGED}\\nlast")
    get_run_logger().logger.getChild("named\\n{FORGED}\\nlast").info("a logger")
    get_run_logger().info("\\x1b[32mgreen\\x1b[0m")
    raise ValueError("\\x1b]52;c;cm0gLXJmIH4K\\x07\\n{FORGED}\\nlast")
"""


@pytest.mark.usefixtures("stack")
def test_logs_of_a_run_can_color_and_nothing_else(tmp_path):
    def satflow(*words):
        command = [sys.executable, "-m", "satflow_ext.cli", *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path)

    write_notebook(tmp_path / "attacks.ipynb", LOGGING)
    name = f"attacks-{uuid4().hex[:8]}"
    made = satflow("register", "attacks.ipynb", "--name", name)
    assert made.returncode == 0, made.stderr
    ran = satflow("run", f"attacks/{name}", "--follow")
    run_id = re.search(r"[0-9a-f-]{36}", ran.stdout)[0]
    for output in (ran, satflow("logs", run_id), satflow("logs", run_id, "--follow")):
        assert output.stdout.count("attack ") >= len(ATTACKS), output.stderr
        assert "\x1b[32mgreen\x1b[0m" in output.stdout
        assert "\\u001b]52;" in output.stdout
        assert not OBEYED.search(output.stdout + output.stderr)
        assert FORGED in output.stdout
        assert FORGED not in output.stdout.splitlines()
    for flags in ([], ["--follow"]):
        assert "\x1b]52;c;cm0gLXJmIH4K\x07" in satflow("logs", run_id, "--raw", *flags).stdout


def test_a_problem_of_a_cluster_cannot_look_like_a_line_of_the_log(stack, capsys):
    async def show():
        async with stock_client(stack.endpoints.prefect) as client:
            run_id = str((await client.create_flow_run(flow(lambda: None, name="nothing"))).id)
        board = StatusFiles(stack.settings)
        board.write_status(status(run_id, state="lost").model_copy(update={"problem": f"first\n{FORGED}\nlast"}))
        shown = asyncio.create_task(watch._print_changes(stack.endpoints, board, run_id))
        output = ""
        while "last" not in output:
            await asyncio.wait([shown], timeout=0.05)
            assert not shown.done()
            output += capsys.readouterr().out
        shown.cancel()
        board.remove_status(run_id)
        return output

    output = asyncio.run(show())
    assert FORGED in output
    assert FORGED not in output.splitlines()
