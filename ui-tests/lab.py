"""A JupyterLab for tests, started once and driven like a user would."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

EXAMPLES = Path(__file__).parent.parent / "examples"
PYTHON = os.environ.get("SATFLOW_TEST_PYTHON", sys.executable)
"""The interpreter of the JupyterLab; `scripts/test --floor` and `--newest` name that of another environment."""

READY = """async (path) => {
  const app = window.jupyterapp;
  const panel = await app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  await panel.context.ready;
  await panel.revealed;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
}"""
"""Open a notebook and wait until typing into it is safe: without each of these waits, key presses get lost."""

RUN_ALL = """async () => {
  const app = window.jupyterapp;
  const [first] = app.shell.currentWidget.content.widgets.filter(cell => cell.model.type === 'code');
  do {
    await app.commands.execute('notebook:run-all-cells');
  } while (first.model.executionCount === null);
}"""
"""Run all cells; again if the kernel reconnected meanwhile, which drops the requests (JupyterLab 4.2 on a busy machine)."""

SETTLED = """async () => {
  const app = window.jupyterapp;
  const kernel = app.shell.currentWidget.sessionContext.session.kernel;
  while (kernel.status !== 'idle') { await new Promise(done => setTimeout(done, 50)); }
}"""

BESIDE = """() => {
  const shell = window.jupyterapp.shell;
  const notebook = [...shell.widgets('main')].find(widget => widget.title.label.endsWith('.ipynb'));
  const run = shell.currentWidget;
  shell.add(run, 'main', { mode: 'split-right', ref: notebook.id });
  shell.activateById(notebook.id);
  shell.activateById(run.id);
}"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab with its address, its root folder and the token of this session."""

    url: str
    token: str
    folder: Path

    def open(self, page: Page, workspace: str | None = None) -> None:
        """Open JupyterLab in a workspace, by default a new and empty one."""
        name = workspace or f"test-{secrets.token_hex(4)}"
        reset = "" if workspace else "&reset"
        page.goto(f"{self.url}/lab/workspaces/{name}?token={self.token}{reset}")
        page.wait_for_function("() => window.jupyterapp && window.jupyterapp.started")
        page.evaluate("() => window.jupyterapp.restored")
        page.wait_for_selector("#jp-main-dock-panel")

    def open_notebook(self, page: Page, name: str) -> None:
        """Open a notebook of the folder and wait for its kernel."""
        page.evaluate(READY, name)

    def open_example(self, page: Page, name: str) -> None:
        """Open an example without the cells that register flows."""
        document = json.loads((EXAMPLES / name).read_text())
        document["cells"] = [cell for cell in document["cells"] if "%register_flow" not in "".join(cell["source"])]
        (self.folder / name).write_text(json.dumps(document))
        self.open_notebook(page, name)

    def run_all(self, page: Page) -> None:
        """Run all cells and wait until the kernel is idle."""
        page.evaluate(RUN_ALL)
        self.wait_until_idle(page)

    def wait_until_idle(self, page: Page) -> None:
        """Wait until the kernel of the current notebook executes nothing."""
        page.evaluate(SETTLED)

    def start_running(self, page: Page) -> None:
        """Start to run all cells without waiting."""
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")

    def put_beside_notebook(self, page: Page) -> None:
        """Move the active tab to the right of the notebook."""
        page.evaluate(BESIDE)

    def shut_kernels_down(self, page: Page) -> None:
        """Shut down every kernel of this server."""
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")

    def write(self, name: str, *cells: str, tags: Mapping[int, str] | None = None) -> str:
        """Write a notebook with these code cells and tags by cell position, and return its name."""
        empty = {"cell_type": "code", "outputs": [], "execution_count": None}
        metadata = {number: {"tags": [tag]} for number, tag in (tags or {}).items()}
        source = [
            {**empty, "id": f"c{n}", "source": text, "metadata": metadata.get(n, {})} for n, text in enumerate(cells)
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        document = {"cells": source, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.folder / name).write_text(json.dumps(document))
        return name


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """Start JupyterLab with a separate home folder, and stop it at the end."""
    folder = home / "notebooks"
    shutil.copytree(EXAMPLES, folder)
    log = home / "lab.log"
    token = secrets.token_hex(16)
    with log.open("wb") as out:
        process = subprocess.Popen(
            _command(folder),
            env=_environment(home, token),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Lab(_address(log, process), token, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


def _command(folder: Path) -> list[str]:
    return [
        PYTHON,
        *(
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={_free_port()}",
            "--ServerApp.port_retries=0",
        ),
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]


def _free_port() -> int:
    """Return a port that no process listens on now; jupyter_server 2.14 does not report the port that it chose for 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _environment(home: Path, token: str) -> dict[str, str]:
    """Return an environment without the user's settings, with the token in a variable that only this user can read."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SATFLOW_", "JUPYTER"))
    }
    return {
        **kept,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTERLAB_SETTINGS_DIR": str(_settings(home)),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_TOKEN": token,
        **_stack_folders(home),
        "XDG_CONFIG_HOME": str(home / "config"),
    }


def _stack_folders(home: Path) -> dict[str, str]:
    """Return the variables for the folders of the local stack; a JupyterLab of another environment uses those of its tests."""
    if sys.executable != PYTHON:
        return {name: os.environ[name] for name in ("SATFLOW_STATE_DIR", "SATFLOW_RUNTIME_DIR", "SATFLOW_CACHE_DIR")}
    return {"SATFLOW_STATE_DIR": str(home / "satflow"), "SATFLOW_RUNTIME_DIR": str(home / "satflow" / "run")}


def _settings(home: Path) -> Path:
    """Write user settings that turn JupyterLab's dialog about news off, and return their folder."""
    folder = home / "settings"
    plugin = folder / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    return folder


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 240
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
        assert process.poll() is None, f"JupyterLab ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"JupyterLab did not start:\n{log.read_text()}"
        time.sleep(0.1)
    return found.group()
