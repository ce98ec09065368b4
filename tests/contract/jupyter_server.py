"""A Jupyter server in a process of its own."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from jupyter_client.blocking.client import BlockingKernelClient

ROOT = Path(__file__).parents[2]
SECONDS = 60


@dataclass(frozen=True)
class JupyterServer:
    """A running Jupyter server: its address, its credential, and where its kernels' connection files are."""

    url: str
    token: str
    runtime: Path

    def start_kernel(self) -> str:
        """Start a kernel as JupyterLab does and give its id."""
        return str(self._ask("POST", "api/kernels", json={"name": "python3"}).json()["id"])

    def end_kernel(self, kernel_id: str) -> None:
        self._ask("DELETE", f"api/kernels/{kernel_id}")

    def run_cell(self, kernel_id: str, code: str) -> None:
        """Run a cell to its end."""
        client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{kernel_id}.json"))
        client.load_connection_file()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=SECONDS)
            reply = client.execute(code, reply=True, timeout=SECONDS)
            assert reply["content"]["status"] == "ok", reply["content"]
        finally:
            client.stop_channels()

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"token {self.token}"}
        reply = httpx.request(method, f"{self.url}/{path}", headers=headers, timeout=SECONDS, **options)
        return reply.raise_for_status()


@contextmanager
def serving(folder: Path) -> Iterator[JupyterServer]:
    """A Jupyter server with SatFlow until the block is left, with its files in that folder. Somebody may kill it meanwhile."""
    token = secrets.token_hex(16)
    runtime = folder / "runtime"
    environment = os.environ | {
        "JUPYTER_TOKEN": token,
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": str(ROOT),
    }
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(_command(folder), env=environment, stdout=out, stderr=out)
    try:
        yield JupyterServer(_address(log, server), token, runtime)
    finally:
        server.terminate()
        server.wait(timeout=SECONDS)


def _command(folder: Path) -> list[str]:
    options = {
        "open_browser": False,
        "allow_root": True,
        "allow_unauthenticated_access": False,
        "ip": "127.0.0.1",
        "port": 0,
        "port_retries": 0,
        "root_dir": folder,
        "jpserver_extensions": "{'satflow_ext': True}",
    }
    return [sys.executable, "-m", "jupyter_server", *(f"--ServerApp.{key}={value}" for key, value in options.items())]


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    """Where it is, once it answers: it says so a moment before."""
    deadline = time.monotonic() + SECONDS
    while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) or not _answers(found.group()):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return found.group()


def _answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/api", timeout=SECONDS)
    except httpx.ConnectError:
        return False
    return True
