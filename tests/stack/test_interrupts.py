"""Ctrl-C and SIGTERM end a command in order at any moment: its own exit code, no kernel left, no other library's messages."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from satflow_ext.gateways.connection import connect_gateway, locate_gateway
from tests.eventually import eventually
from tests.local_stack import Stack
from tests.notebook_files import write_notebook
from tests.stack.place import Place
from tests.stack.sleeping import sleepers, start_sleeper, state_of

SLEEPS = """
import subprocess, time
from pathlib import Path
child = subprocess.Popen(["sleep", "600"])
Path("began").write_text(str(child.pid))
try:
    time.sleep(600)
finally:
    Path("cleaned").touch()
"""
FLOW = "from prefect import flow\n@flow\ndef nothing(): pass\n"
SPOKEN = (
    "Traceback",
    "IPKernelApp",
    "AssertionError",
    "DeadKernel",
    "died",
    "memory",
    "Task exception",
    "never retrieved",
)
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
PATIENCE = 120.0


def notebook(folder: Path, *sources: str) -> Path:
    return write_notebook(folder / "signals.ipynb", *sources)


@contextmanager
def command(place: Place, folder: Path, *words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command line until the block ends."""
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "satflow_ext.cli", *words],
            env={**place.environment, **more, "SATFLOW_TEST_MARK": str(folder)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def marked(folder: Path, words: str = "") -> list[psutil.Process]:
    """The processes that a command of this folder started, itself included, with these words in their command line."""
    found = []
    for each in psutil.process_iter():
        try:
            mine = each.environ().get("SATFLOW_TEST_MARK") == str(folder) and "SATFLOW_STACK" not in each.environ()
            line = " ".join(each.cmdline())
            if mine and words in line and "satflow_ext.stack" not in line and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except psutil.Error:
            continue
    return found


def check_ended(
    process: subprocess.Popen[str], number: signal.Signals, folder: Path, moment: Callable[[], object]
) -> str:
    """Send the signal at that moment; the output of a command that has ended in order."""
    eventually(lambda: moment() or process.poll() is not None, "the moment", seconds=PATIENCE)
    output = folder / "output"
    assert process.poll() is None, output.read_text()
    process.send_signal(number)
    code = process.wait(PATIENCE)
    text = output.read_text()
    assert code in (128 + number, -number), (code, text)
    assert not [word for word in SPOKEN if word in text], text
    eventually(lambda: not marked(folder), "every process of the command to end", seconds=5)
    return text


@SIGNALS
def test_while_it_loads(light: Place, tmp_path: Path, number: signal.Signals) -> None:
    with command(light, tmp_path, "register", str(notebook(tmp_path, FLOW))) as process:
        command_line = psutil.Process(process.pid)
        check_ended(process, number, tmp_path, lambda: command_line.cpu_times().user > 0.3)  # Python itself has started


@SIGNALS
def test_while_the_kernel_starts(light: Place, tmp_path: Path, number: signal.Signals) -> None:
    with command(light, tmp_path, "register", str(notebook(tmp_path, FLOW))) as process:
        check_ended(process, number, tmp_path, lambda: marked(tmp_path, "ipykernel"))


@SIGNALS
def test_while_a_cell_executes(light: Place, tmp_path: Path, number: signal.Signals) -> None:
    with command(light, tmp_path, "register", str(notebook(tmp_path, SLEEPS))) as process:
        check_ended(process, number, tmp_path, lambda: _number(tmp_path / "began"))
    assert (tmp_path / "cleaned").exists()


@SIGNALS
def test_while_a_cell_ignores_it(light: Place, tmp_path: Path, number: signal.Signals) -> None:
    """As compiled code does that never looks for signals: the kernel is killed, with its children."""
    ignores = "".join(f"signal.signal(signal.{name}, signal.SIG_IGN)\n" for name in ("SIGINT", "SIGTERM"))
    stubborn = f"import signal\n{ignores}{SLEEPS}"
    with command(light, tmp_path, "register", str(notebook(tmp_path, stubborn))) as process:
        check_ended(process, number, tmp_path, lambda: _number(tmp_path / "began"))


@SIGNALS
def test_while_prefect_does_not_answer(light: Place, tmp_path: Path, number: signal.Signals) -> None:
    with silent_server() as (listener, url):
        words = ("register", str(notebook(tmp_path, FLOW)))
        with command(light, tmp_path, *words, SATFLOW_PREFECT_API_URL=f"{url}/api") as process:
            check_ended(process, number, tmp_path, lambda: _accepts(listener))


@SIGNALS
def test_while_it_uploads(stack: Stack, settings_file: Path, tmp_path: Path, number: signal.Signals) -> None:
    with silent_server() as (listener, url):
        settings_file.write_text(f"[stores.hangs]\nurl = '{url}/{{digest}}'\ntimeout = 600\n")
        words = ("register", str(notebook(tmp_path, FLOW)))
        with command(Place(stack.settings), tmp_path, *words, SATFLOW_STORE="hangs") as process:
            check_ended(process, number, tmp_path, lambda: _accepts(listener))


@SIGNALS
def test_while_it_follows(stack: Stack, tmp_path: Path, number: signal.Signals) -> None:
    run = asyncio.run(start_sleeper(stack.record, tmp_path))
    with command(Place(stack.settings), tmp_path, "logs", str(run), "--follow") as process:
        text = check_ended(process, number, tmp_path, lambda: "second 1" in (tmp_path / "output").read_text())
    assert f"The run was not cancelled. To follow it again: satflow logs {run} --follow" in text
    assert asyncio.run(state_of(stack.record, run)).is_running()
    for each in sleepers(tmp_path):
        each.kill()


def test_while_a_cluster_starts(stack: Stack, tmp_path: Path) -> None:
    """The process that manages it ends with the command, and closes the cluster."""
    place, number = Place(stack.settings), signal.SIGINT
    words = ("register", str(notebook(tmp_path, FLOW)), "--name", tmp_path.name, "--executor", "dask-cluster", "--json")
    with command(place, tmp_path, *words) as process:
        assert process.wait() == 0, (tmp_path / "output").read_text()
    with locate_gateway("", stack.settings) as where, connect_gateway(where) as gateway:
        before = {each.name for each in gateway.list_clusters()}

        def clusters() -> set[str]:
            return {each.name for each in gateway.list_clusters()} - before

        with command(place, tmp_path, "clusters", "start", f"nothing/{tmp_path.name}") as process:
            check_ended(process, number, tmp_path, clusters)
        assert not clusters()


@SIGNALS
def test_while_the_stack_starts(whole: Place, tmp_path: Path, number: signal.Signals) -> None:
    with command(whole, tmp_path, "up") as process:
        check_ended(process, number, tmp_path, lambda: "Prefect server" in (tmp_path / "output").read_text())
    whole.wait_gone()


@contextmanager
def silent_server() -> Iterator[tuple[socket.socket, str]]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def _number(path: Path) -> bool:
    return path.exists() and path.read_text().isdecimal()


def _accepts(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return False
    return True
