"""A real kernel, spoken to the way the Jupyter server and the browser do."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from satflow_ext.kernel_calls import build_flows_call, build_pack_call, parse_reply

if TYPE_CHECKING:
    from tests.kernel.notebooks import Notebook

ROOT = Path(__file__).parents[2]
PATIENCE = 300


FORGET = """
%reset -f
import os, sys
here = lambda place: os.path.abspath(str(place)).startswith({home!r})
place = lambda module: getattr(module, "__file__", None) or [*getattr(module, "__path__", ()), sys.prefix][0]
for name in [n for n, m in list(sys.modules.items()) if here(place(m))]: del sys.modules[name]
if "autoreload" in get_ipython().magics_manager.magics["line"]: get_ipython().run_line_magic("autoreload", "0")
sys.path[:] = [p for p in sys.path if not here(p)]
os.makedirs({folder!r}, exist_ok=True); os.chdir({folder!r}); sys.path.insert(0, {folder!r})
"""


class Kernel:
    """A kernel process and the messages it has sent.

    `patience` is how many seconds a message may take.
    """

    patience: float = PATIENCE

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        isolated = {"HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": str(ROOT)}
        loggers = {"PREFECT_HOME": str(home / "prefect"), "PREFECT_LOGGING_LEVEL": "ERROR"}
        self.manager = KernelManager(kernel_name="python3")
        self.manager.kernel_spec.argv[0] = sys.executable
        self.manager.start_kernel(env={**os.environ, **isolated, **loggers, **env}, cwd=str(home))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=self.patience)

    def send(self, code: str, **options: object) -> tuple[dict, list[dict]]:
        """The reply to a request, and what it made the kernel publish."""
        request = self.client.execute(textwrap.dedent(code), **options)
        reply = self.client.get_shell_msg(timeout=self.patience)
        while reply["parent_header"]["msg_id"] != request:  # `wait_for_ready` may have asked twice
            reply = self.client.get_shell_msg(timeout=self.patience)
        published = []
        while True:
            message = self.client.get_iopub_msg(timeout=self.patience)
            published.append(message)
            idle = message["content"].get("execution_state") == "idle"
            if idle and message["parent_header"]["msg_id"] == request:
                return reply["content"], published

    def run(self, code: str) -> list[dict]:
        """Run a cell that must succeed."""
        reply, published = self.send(code)
        assert reply["status"] == "ok", "\n".join(reply["traceback"])
        return published

    def value(self, expression: str) -> str:
        """The repr of an expression, asked silently."""
        reply, _ = self.send("", silent=True, store_history=False, user_expressions={"x": expression})
        answer = reply["user_expressions"]["x"]
        assert answer["status"] == "ok", answer
        return answer["data"]["text/plain"]

    def ask(self, call: dict[str, str]) -> tuple[dict, list[dict]]:
        """Ask as the Jupyter server does; gives the content of the reply and what was published."""
        reply, published = self.send("", silent=True, store_history=False, user_expressions=call)
        return parse_reply(reply["user_expressions"]), published

    def flows(self) -> list[dict]:
        return self.ask(build_flows_call())[0]["flows"]

    def pack(
        self,
        variable: str,
        parameters: dict | None = None,
        *,
        has_schedule: bool = False,
        include: Sequence[str] = (),
        directory: Path | None = None,
    ) -> dict:
        directory = directory or self.home / "packed"
        directory.mkdir(exist_ok=True)
        return self.ask(
            build_pack_call(variable, parameters or {}, [({}, {})] * has_schedule, str(directory), include)
        )[0]

    def open_notebook(self, notebook: Notebook) -> None:
        """Run a notebook's cells in a folder of its own, with nothing left of what ran before."""
        folder = self.home / notebook.name
        self.run(FORGET.format(folder=str(folder), home=str(self.home)))
        for cell in notebook.cells:
            self._run_as_browser(cell)

    def _run_as_browser(self, cell: str) -> None:
        """Run a cell, and what `%load` puts in its place."""
        reply, _ = self.send(cell)
        assert reply["status"] == "ok", "\n".join(reply["traceback"])
        for payload in reply["payload"]:
            if payload["source"] == "set_next_input":
                self.run(payload["text"])

    @staticmethod
    def pushed(published: list[dict]) -> list[list[str]]:
        """Variables of the flows in each list that was pushed."""
        comms = [
            message["content"]["data"] for message in published if message["msg_type"] in ("comm_open", "comm_msg")
        ]
        return [[flow["variable"] for flow in data["flows"]] for data in comms]

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
