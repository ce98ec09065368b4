"""The template process, as the Prefect worker sees it: a child that ends with the worker, and is restarted when it has ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from satflow_ext.run_template.template import MODULE


def is_supported() -> bool:
    """Return whether this system has what forked flow runs need (Linux 5.3 or later)."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class TemplateProcess:
    """A running template process, at a socket in a folder that only this user can enter.

    It inherits this process's output. It ends with this process, and removes its folder, because its standard input is a pipe
    from this process.
    """

    def __init__(self) -> None:
        # Not in the runtime folder: the path of a unix socket may have about 100 bytes.
        self._socket = Path(tempfile.mkdtemp(prefix="satflow-template-")) / "socket"
        self._process = _start_process(self._socket)

    def restart_if_ended(self) -> Path:
        """Make sure that the template runs, and return the path of its socket, which exists once its imports are done."""
        if self._process.poll() is not None:
            self._socket.unlink(missing_ok=True)
            self._socket.parent.mkdir(mode=0o700, exist_ok=True)
            self._process = _start_process(self._socket)
        return self._socket

    def close(self) -> None:
        """End the template. Its forks go on."""
        self._process.terminate()
        self._process.communicate()
        shutil.rmtree(self._socket.parent, ignore_errors=True)


def _start_process(socket: Path) -> subprocess.Popen[bytes]:
    """Start the template, without settings of Prefect: each flow run brings its own.

    Only Prefect's folder must be the same. The import of Prefect creates it.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PREFECT_") or name == "PREFECT_HOME"
    }
    return subprocess.Popen(
        [sys.executable, "-m", MODULE, "--socket", str(socket)],
        cwd="/",  # a module in the worker's folder must not be imported
        env=environment,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
