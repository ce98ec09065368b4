"""Prefect servers beside the local stack's."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from satflow_ext.endpoints import PrefectApi
from tests.ports import free_port


@contextlib.contextmanager
def serving_prefect(folder: Path, *module: str) -> Iterator[PrefectApi]:
    """A Prefect server with an auth string, which a module starts."""
    auth = f"team:{secrets.token_urlsafe(12)}"
    port = free_port()
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    arguments = [sys.executable, "-m", *module, "--host", "127.0.0.1", "--port", str(port)]
    with folder.with_suffix(".log").open("wb") as log:
        server = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_healthy(f"http://127.0.0.1:{port}/api", server)
        yield PrefectApi(f"http://127.0.0.1:{port}/api", auth_string=auth)
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_healthy(url: str, server: subprocess.Popen[bytes], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, "the other Prefect server ended"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/health", timeout=2).close()
            return
        time.sleep(0.1)
    raise TimeoutError(url)
