"""A webhook on this machine to which Prefect's notification blocks send, and blocks that send there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from prefect.blocks.core import Block
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from satflow_ext.endpoints import PrefectApi
from tests.prefect_clients import stock_client
from tests.webhook import Quiet, endpoint

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
    messages: list[dict[str, str]] = []

    class Handler(Quiet):
        def do_POST(self) -> None:  # noqa: N802 - the name that http.server looks for
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(204)

    with endpoint(Handler) as url:
        yield Receiver(f"{url}/secret-path", messages)


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
