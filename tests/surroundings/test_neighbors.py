"""SatFlow next to other extensions, for one user of a shared Python, and with kernels of other environments.

A JupyterLab with other extensions belongs to all users of the machine, and one of them installs SatFlow with
`pip install --user`: these surroundings can occur together, and share a server and a local stack.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.gateways.serving import running
from tests.installed.environments import find_pythons, run_uv
from tests.ports import free_port
from tests.surroundings.jupyter_user import JupyterUser

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("neighbors.lock")
NEIGHBORS = (
    "@jupyter/collaboration-extension",
    "@jupyterlab/git",
    "@jupyterlab/scheduler",
    "@jupyter-notebook/lab-extension",
)
COLOR = re.compile(r"\x1b\[[0-9;]*m")
FLOW = """
import sys
from prefect import flow

@flow(log_prints=True)
def report():
    print(sys.prefix)
"""
HAS_MAGIC = "print('register_flow' in get_ipython().magics_manager.magics['line'])"


@dataclass(frozen=True)
class SharedLab:
    """The environment with JupyterLab, and the user who installed SatFlow.

    Args:
        folder: the environment, which the user does not change.
        home: of the user.
        wheels: the folder with the wheel of SatFlow, where installers look as well.
    """

    folder: Path
    home: Path
    wheels: Path

    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        state = self.home / ".local" / "share" / "satflow"
        own = {
            "SATFLOW_STATE_DIR": state,
            "SATFLOW_RUNTIME_DIR": self.home / "run",
            "SATFLOW_CACHE_DIR": self.home / "c",
        }
        return (
            kept
            | {name: str(path) for name, path in own.items()}
            | {
                "HOME": str(self.home),
                "PATH": f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}",
                "PIP_FIND_LINKS": f"{kept.get('PIP_FIND_LINKS', '')} {self.wheels}",
                "UV_FIND_LINKS": str(self.wheels),
            }
        )

    def run(self, *words: object) -> str:
        """Run a command of the user, which must succeed, and return its output."""
        command = [str(self.folder / "bin" / "python"), *map(str, words)]
        done = subprocess.run(command, cwd=self.home, env=self.variables(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return COLOR.sub("", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def shared(house: Path, wheel: Path) -> SharedLab:
    """SatFlow in the user's own folder, next to a JupyterLab that all users share."""
    lab = SharedLab(house / "lab", house / "user", wheel.parent)
    lab.home.mkdir()
    run_uv("venv", "--system-site-packages", "--python", sys.executable, lab.folder)
    run_uv("pip", "sync", "--python", lab.folder / "bin" / "python", LOCK)
    lab.run("-m", "pip", "install", "--user", "--no-deps", wheel)
    return lab


@pytest.fixture(scope="module")
def user(shared: SharedLab) -> Iterator[JupyterUser]:
    """The user with a running JupyterLab, whose log has no error of SatFlow at its end."""
    port, token = free_port(), secrets.token_hex(16)
    words = ["-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0"]
    shown = ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    variables = {**shared.variables(), "JUPYTER_TOKEN": token, "PYTHONPATH": ""}
    url = f"http://127.0.0.1:{port}"
    with running([shared.folder / "bin" / "python", *words, *shown], shared.home, f"{url}/api", **variables):
        user = JupyterUser(url, token)
        user.ask("POST", "stack")
        yield user
    records = re.split(r"^(?=\[[A-Z] )", (shared.home / "log").read_text(), flags=re.MULTILINE)
    errors = [each for each in records if each.startswith(("[E", "[C")) or "Traceback" in each]
    assert "".join(each for each in errors if re.search("satflow_ext|/satflow/", each)) == ""


def list_flows(user: JupyterUser, kernel_id: str) -> list[str]:
    return [flow["name"] for flow in user.ask("GET", f"kernels/{kernel_id}/flows")["flows"]]


def test_jupyterlab_accepts_all_extensions(shared: SharedLab) -> None:
    listed = shared.run("-m", "jupyter", "labextension", "list")
    for name in ("satflow-ext", *NEIGHBORS):
        assert re.search(rf"{name} v\S+ enabled +OK", listed), listed


def test_a_user_installation_registers_and_runs(shared: SharedLab, user: JupyterUser) -> None:
    kernel = user.start_kernel()
    user.run_cell(kernel, FLOW)
    user.wait_for_stack()
    assert list_flows(user, kernel) == ["report"]
    assert user.run_cell(kernel, HAS_MAGIC) == "True\n"
    deployment = user.register(kernel, "report")["deployment"]
    assert str(shared.folder) in user.run(deployment["id"])


def test_the_commands_of_a_user_installation_work(shared: SharedLab, user: JupyterUser) -> None:
    script = shared.home / ".local" / "bin" / "satflow"
    user.wait_for_stack()
    assert "Local stack: ready" in shared.run(script, "status")


@pytest.fixture(scope="module")
def other_kernel(house: Path, shared: SharedLab) -> Path:
    """An environment without SatFlow and without pip, of another Python where this machine has one, and its kernel."""
    folder = house / "other"
    pythons = [each for each in find_pythons() if f"python3.{sys.version_info.minor}" not in each.resolve().name]
    run_uv("venv", "--python", pythons[-1] if pythons else sys.executable, folder)
    run_uv("pip", "install", "--python", folder / "bin" / "python", "ipykernel")
    spec = shared.home / ".local" / "share" / "jupyter" / "kernels" / "other" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(folder / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "python"}))
    return folder


def test_a_kernel_of_another_environment_gets_satflow_and_runs_there(user: JupyterUser, other_kernel: Path) -> None:
    kernel = user.start_kernel("other")
    refused = user.request("GET", f"satflow/kernels/{kernel}/flows")
    assert refused.status_code == HTTPStatus.CONFLICT
    assert refused.json()["error"] == "KernelLacksPackage"
    user.run_cell(kernel, "\n".join(re.findall(r"`([^`]+)`", refused.json()["fix"])))
    user.run_cell(kernel, FLOW)
    assert list_flows(user, kernel) == ["report"]
    assert user.run_cell(kernel, HAS_MAGIC) == "True\n"
    user.wait_for_stack()
    deployment = user.register(kernel, "report", name="other")["deployment"]
    assert str(other_kernel) in user.run(deployment["id"])


def test_the_sidebar_works_in_a_shared_document_and_in_notebook_7(shared: SharedLab, user: JupyterUser) -> None:
    variables = {**os.environ, "JUPYTER_TOKEN": user.token}
    script = [sys.executable, ROOT / "ui-tests" / "neighbors.py", user.url, shared.home]
    done = subprocess.run(script, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
