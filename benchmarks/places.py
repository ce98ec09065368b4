"""A local stack or Prefect home of the benchmark's own, so that nothing of the user's is touched."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from satflow_ext import endpoints, lease
from satflow_ext.endpoints import Endpoints
from satflow_ext.settings import Settings, load_settings


@contextmanager
def own_stack() -> Iterator[tuple[Endpoints, Settings]]:
    """A fresh local stack, ended with the block; this process's environment points to it."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "SATFLOW_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="sf-") as folder:
        os.environ |= {"SATFLOW_STATE_DIR": folder, "SATFLOW_RUNTIME_DIR": f"{folder}/run"}
        settings = load_settings()
        with lease.acquire_lease(settings) as held:
            yield endpoints.resolve_endpoints(settings, held.record), settings


def prefect_environment(where: Endpoints) -> dict[str, str]:
    """What Prefect's own command line needs to talk to that stack."""
    return {
        **os.environ,
        "PREFECT_API_URL": where.prefect.url,
        "PREFECT_API_AUTH_STRING": where.prefect.auth_string or "",
    }


def stock_environment(home: Path) -> dict[str, str]:
    """Prefect's own command line at its defaults, with a home of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SATFLOW_"))}
    return {**inherited, "PREFECT_HOME": str(home), "DO_NOT_TRACK": "1"}


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(port: int) -> None:
    """Wait until a Prefect server answers."""
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)


def stop_peer(process: subprocess.Popen[bytes]) -> None:
    """End a stock Prefect server or worker, which sometimes ignores SIGTERM while it waits for something."""
    process.terminate()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
