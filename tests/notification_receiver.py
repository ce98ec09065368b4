"""A webhook on this machine to which Prefect's notification blocks send, and blocks that send there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from prefect.blocks.core import Block
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from satflow_ext.endpoints import PrefectApi
from tests.prefect_clients import stock_client

TYPE = "custom-webhook"


@dataclass
class Receiver:
    """A running webhook: its address, and the messages that it received."""

    url: str
    messages: list[dict[str, str]] = field(default_factory=list)

    def find(self, words: str) -> dict[str, str] | None:
        """The message whose subject or body has these words."""
        return next((each for each in self.messages if words in each["subject"] + each["body"]), None)


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    """Receive messages during the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.messages.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/secret-path")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def make_block(api: PrefectApi, url: str) -> str:
    """Make a block that sends to an address, as users do in Prefect; its name for SatFlow."""
    body: dict[str, Any] = {"subject": "{{subject}}", "body": "{{body}}"}
    block = CustomWebhookNotificationBlock(name="tests", url=url, method="POST", json_data=body)
    return await save_block(api, block, TYPE)


async def save_block(api: PrefectApi, block: Block, type_name: str) -> str:
    """Save a block under a name of its own; its name for SatFlow."""
    name = f"test-{uuid4().hex[:8]}"
    async with stock_client(api) as client:
        await block.save(name, client=client)
    return f"{type_name}/{name}"
