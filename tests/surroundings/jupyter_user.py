"""A user of a Jupyter server, who uses it as JupyterLab does: requests, kernels and the stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.eventually import eventually

SECONDS = 300
"""A reply may take so long on a busy machine."""


@dataclass(frozen=True)
class JupyterUser:
    """A user with a running server.

    Args:
        url: of the server, without a slash at its end.
        token: of the user.
    """

    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}

    def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request to the server."""
        return httpx.request(method, f"{self.url}/{path}", headers=self.headers, json=body, timeout=SECONDS)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Send a request to SatFlow, which must not be refused, and return the reply."""
        reply = self.request(method, f"satflow/{path}", body)
        assert reply.is_success, reply.text
        return dict(reply.json())

    def connect(self, path: str) -> ClientConnection:
        """Open a websocket."""
        url = f"{self.url}/{path}".replace("http", "ws", 1)
        return connect(url, additional_headers=self.headers, proxy=None, open_timeout=SECONDS)

    def wait_for_stack(self) -> dict[str, Any]:
        """Wait until the local stack, which is starting, is ready, and return its status."""

        def ready() -> dict[str, Any] | None:
            found = self.ask("GET", "stack")
            assert found["state"] != "failed", found
            return found if found["state"] == "ready" else None

        return eventually(ready, "the local stack", SECONDS)

    def start_kernel(self, name: str = "python3") -> str:
        """Start a kernel and return its id."""
        return str(self.request("POST", "api/kernels", {"name": name}).raise_for_status().json()["id"])

    def run_cell(self, kernel_id: str, code: str) -> str:
        """Run a cell, which must not fail, and return its output."""
        header = {"msg_id": uuid4().hex, "msg_type": "execute_request", "session": uuid4().hex, "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        parts = {"header": header | {"username": "", "date": ""}, "parent_header": {}, "metadata": {}}
        with self.connect(f"api/kernels/{kernel_id}/channels") as channels:
            channels.send(json.dumps({**parts, "content": content, "channel": "shell", "buffers": []}))
            return "".join(_read_output(channels, header["msg_id"]))

    def register(self, kernel_id: str, variable: str, **choices: object) -> dict[str, Any]:
        """Register a flow of a kernel."""
        return self.ask("POST", "deployments", {"kernel_id": kernel_id, "variable": variable, **choices})

    def start_run(self, deployment_id: str) -> dict[str, Any]:
        return self.ask("POST", "runs", {"deployment_id": deployment_id, "idempotency_key": uuid4().hex})

    def follow_log(self, run_id: str) -> list[str]:
        """Follow the log of a run to its end, and return its messages."""
        with self.connect("satflow/stream") as stream:
            stream.send(json.dumps({"type": "subscribe", "topic": "logs", "run_id": run_id}))
            return list(_read_log(stream))

    def run(self, deployment_id: str) -> list[str]:
        """Run a deployment to its completion, and return the messages of its log."""
        run_id = self.start_run(deployment_id)["id"]
        lines = self.follow_log(run_id)
        run = eventually(lambda: self._read_ended(run_id), "the end of the run", SECONDS)
        assert run["state_type"] == "COMPLETED", (run, lines)
        return lines

    def _read_ended(self, run_id: str) -> dict[str, Any] | None:
        run = self.ask("GET", f"runs/{run_id}")["run"]
        return dict(run) if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None


def _read_output(channels: ClientConnection, request_id: str) -> Iterator[str]:
    replied = idle = False
    while not (replied and idle):
        message = json.loads(channels.recv(timeout=SECONDS))
        if message["parent_header"].get("msg_id") != request_id:
            continue
        kind, content = message["msg_type"], message["content"]
        assert kind != "error", "\n".join(content["traceback"])
        replied = replied or kind == "execute_reply"
        idle = idle or (kind == "status" and content["execution_state"] == "idle")
        if kind == "stream":
            yield content["text"]


def _read_log(stream: ClientConnection) -> Iterator[str]:
    for message in stream:
        frame = json.loads(message)
        assert frame["type"] == "logs.v1", frame
        yield from [line["message"] for line in frame["lines"]]
        if frame["ended"]:
            return
