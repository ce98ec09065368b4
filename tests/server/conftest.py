"""A Jupyter server with SatFlow on the tests' local stack, and a browser's way of talking to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import TypeAdapter

from satflow_ext.models import ErrorBody, StreamFrame, Subscribe, Unsubscribe, WireModel

ROOT = Path(__file__).parents[2]
SECONDS = 60
"""An answer may take so long."""
FRAME: TypeAdapter[StreamFrame] = TypeAdapter(StreamFrame)
Reply = TypeVar("Reply", bound=WireModel)


@pytest.fixture(autouse=True)
def kernels_see_this_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


class Browser:
    """Sends requests as the front end does, and takes no reply that is not of its model."""

    def __init__(self, fetch: Callable[..., Awaitable[Any]]) -> None:
        self._fetch = fetch

    async def raw(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """Any reply."""
        sent = json.dumps(body) if body is not None and not isinstance(body, (str, bytes)) else body
        headers = {"Content-Type": "application/json"} if body is not None else {}
        headers |= options.pop("headers", {})
        return await self._fetch(
            "satflow",
            *path.split("/"),
            method=method,
            body=sent,
            headers=headers,
            raise_error=False,
            allow_nonstandard_methods=True,
            request_timeout=SECONDS,
            **options,
        )

    async def ask(self, model: type[Reply], method: str, path: str, body: object = None, **options: Any) -> Reply:
        """A reply that must be good, as its model."""
        reply = await self.raw(method, path, body, **options)
        assert reply.code < HTTPStatus.BAD_REQUEST, reply.body
        return model.model_validate_json(reply.body)

    async def refused(self, method: str, path: str, body: object = None, **options: Any) -> tuple[int, ErrorBody]:
        """A reply that must be an error."""
        reply = await self.raw(method, path, body, **options)
        assert reply.code >= HTTPStatus.BAD_REQUEST, reply.body
        return reply.code, ErrorBody.model_validate_json(reply.body)


@pytest.fixture
def browser(stack, jp_fetch) -> Browser:
    return Browser(jp_fetch)


class Tab:
    """An open websocket."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def subscribe(self, topic: str, run_id: str | None = None, cursor: str | None = None) -> None:
        await self.socket.write_message(Subscribe(topic=topic, run_id=run_id, cursor=cursor).model_dump_json())

    async def unsubscribe(self, topic: str, run_id: str | None = None) -> None:
        await self.socket.write_message(Unsubscribe(topic=topic, run_id=run_id).model_dump_json())

    async def frame(self) -> StreamFrame:
        message = await self.socket.read_message()
        assert message is not None, "the server closed the socket"
        return FRAME.validate_json(message)


@pytest.fixture
def open_tab(stack, jp_ws_fetch) -> Callable[[], Any]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Tab]:
        socket = await jp_ws_fetch("satflow", "stream")
        try:
            yield Tab(socket)
        finally:
            socket.close()

    return opened


class Kernel:
    """A kernel of the Jupyter server, run like a notebook runs it."""

    def __init__(self, app: Any, kernel_id: str) -> None:
        self.id = kernel_id
        self.manager = app.kernel_manager.get_kernel(kernel_id)
        self.client = self.manager.client()
        self.client.session = self.client.session.clone()

    async def ready(self) -> None:
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=SECONDS)

    def begin(self, code: str) -> str:
        """Send a cell and wait for nothing."""
        return str(self.client.execute(code))

    async def run(self, code: str) -> dict[str, Any]:
        """Run a cell to its end."""
        asked = self.begin(code)
        while True:
            reply = await self.client.get_shell_msg(timeout=SECONDS)
            if reply["parent_header"]["msg_id"] == asked:
                return dict(reply["content"])


@pytest.fixture
def open_kernel(stack, jp_serverapp) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(kernel_name: str = "python3") -> AsyncIterator[Kernel]:
        kernels = jp_serverapp.kernel_manager
        kernel = Kernel(jp_serverapp, await kernels.start_kernel(kernel_name=kernel_name))
        await kernel.ready()
        try:
            yield kernel
        finally:
            kernel.client.stop_channels()
            if kernel.id in kernels:
                await kernels.shutdown_kernel(kernel.id, now=True)

    return opened
