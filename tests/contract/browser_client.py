"""The browser's REST client in Node, which does what a test tells it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contract.jupyter_server import SECONDS, JupyterServer


class BrowserClient:
    """The browser's REST client, called one method at a time.

    Attributes:
        methods: what the client can do, as its prototype says.
        called: the methods that have answered.
    """

    def __init__(self, node: subprocess.Popen[str]) -> None:
        self._node = node
        self.methods = set(self._line()["methods"])
        self.called: set[str] = set()

    def call(self, method: str, *arguments: object) -> Any:
        """What the method resolved to."""
        answer = self._answer(method, *arguments)
        assert "reply" in answer, answer
        self.called.add(method)
        return answer["reply"]

    def refused(self, method: str, *arguments: object) -> Any:
        """What the method rejected with."""
        answer = self._answer(method, *arguments)
        assert "error" in answer, answer
        return answer["error"]

    def _answer(self, method: str, *arguments: object) -> dict[str, Any]:
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps({"method": method, "arguments": arguments}) + "\n")
        self._node.stdin.flush()
        answer = self._line()
        assert answer["method"] == method
        return answer

    def _line(self) -> dict[str, Any]:
        assert self._node.stdout is not None
        line = self._node.stdout.readline()
        assert line, "node ended"
        return dict(json.loads(line))


@contextmanager
def connected(server: JupyterServer) -> Iterator[BrowserClient]:
    """The client of src/client.ts, connected to the server, until the block is left."""
    environment = os.environ | {"SERVER_URL": server.url, "JUPYTER_TOKEN": server.token}
    command = ["node", str(Path(__file__).with_name("client.mjs"))]
    with subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        yield BrowserClient(node)
        assert node.stdin is not None
        node.stdin.close()
        assert node.wait(timeout=SECONDS) == 0
