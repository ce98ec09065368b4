"""Template processes, and what requests runs from them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psutil

from satflow_ext.fork_requests import start_run
from satflow_ext.fork_requests.child_process import DASK_SOCKET, RUN_SOCKET
from tests.eventually import eventually
from tests.prefect_objects import Prefect

FLOWS = Path(__file__).with_name("flows.py")

DASK_VARIABLES = {
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "6640",
}
"""What `distributed` sets for Dask workers by default."""


class Template:
    """A template process and what requests runs from it."""

    def __init__(self, prefect: Prefect, folder: Path, *options: str) -> None:
        self._prefect = prefect
        self.folder = folder
        self.socket = folder / RUN_SOCKET
        self.modules = folder / "modules"
        self.modules.mkdir()
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(self.modules), os.getcwd()]),
            "PREFECT_API_URL": prefect.api.url,
            "PREFECT_API_AUTH_STRING": str(prefect.api.auth_string),
        }
        self.packages = folder / "packages"
        self.process = self._start(self.socket, "--packages", str(self.packages), *options)
        self.for_dask: psutil.Popen | None = None

    def start_for_dask(self) -> None:
        """Start the template for Dask workers."""
        self.for_dask = self._start(self.folder / DASK_SOCKET, "--dask", **DASK_VARIABLES)

    def _start(self, socket: Path, *options: str, **variables: str) -> psutil.Popen:
        command = [sys.executable, "-m", "satflow_ext.run_template", "--socket", str(socket), *options]
        own = {name: value for name, value in self.environment.items() if not name.startswith("PREFECT_API")}
        started = psutil.Popen(command, env=own | variables, cwd="/", stdin=subprocess.PIPE, start_new_session=True)
        eventually(lambda: socket.is_socket() or started.poll() is not None, "the template", seconds=300)
        return started

    def start(
        self, flow: str, *, command: list[str] | None = None, **variables: str
    ) -> tuple[subprocess.Popen[str], Path]:
        """Start a run of a flow in `flows.py`; its process, and the file that it writes to."""
        run_id = self._prefect.run("PENDING")
        answer = self.folder / f"{run_id}.json"
        environment = {
            **self.environment,
            "PREFECT__FLOW_RUN_ID": run_id,
            "PREFECT__FLOW_ENTRYPOINT": f"{FLOWS}:{flow}",
            "ANSWER": str(answer),
            **variables,
        }
        starter = [sys.executable, "-I", "-S", start_run.__file__, str(self.socket)]
        process = subprocess.Popen(
            command or starter,
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            umask=0o027,
        )
        process.run_id = run_id  # type: ignore[attr-defined]
        return process, answer

    def run(self, flow: str, *, command: list[str] | None = None, **variables: str) -> tuple[int, str, dict]:
        """Run a flow to its end: exit status, output, and what it wrote."""
        process, answer = self.start(flow, command=command, **variables)
        said, _ = process.communicate()
        return process.returncode, said, json.loads(answer.read_text()) if answer.exists() else {}

    def state(self, run_id: str) -> str:
        """The state of a run."""
        return str(self._prefect.ask(lambda client: client.read_flow_run(UUID(run_id))).state_name)

    def forks(self) -> list[psutil.Process]:
        """The forks that live."""
        return [each for each in self.process.children() if each.status() != psutil.STATUS_ZOMBIE]

    def end(self) -> None:
        """End the templates and their forks, whatever the test did to them."""
        for process in filter(None, (self.process, self.for_dask)):
            with contextlib.suppress(psutil.NoSuchProcess):
                for each in [*process.children(recursive=True), process]:
                    each.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()
