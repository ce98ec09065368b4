"""A proxy before a Prefect API or a store, so that a test can act at an exact moment of a conversation, or end it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

from satflow_ext.endpoints import PrefectApi, Store

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "content-encoding", "accept-encoding"}
Fault = Literal["refused", "cut before", "cut after"]
"""503 and nothing done; the connection is closed before the request is passed on; or when it was done and nobody was told."""


@dataclass
class Between:
    """The proxy. `answered` is called with method and path when the API has done it and before the caller hears of it.

    `faulty` says what goes wrong with a request. Once `cut` is set, every connection is closed without an answer.
    """

    origin: str
    auth_string: str | None = None
    answered: Callable[[str, str], None] = lambda method, path: None
    faulty: Callable[[str, str], Fault | None] = lambda method, path: None
    cut: threading.Event = field(default_factory=threading.Event)

    @property
    def api(self) -> PrefectApi:
        return PrefectApi(f"{self.origin}/api", auth_string=self.auth_string)


@contextmanager
def between(api: PrefectApi) -> Iterator[Between]:
    """A proxy before that API while the block runs."""
    with _forwarding(api.url.removesuffix("/api")) as proxy:
        proxy.auth_string = api.auth_string
        yield proxy


@contextmanager
def before_store(store: Store) -> Iterator[tuple[Between, Store]]:
    """A proxy before that store while the block runs, and the store as it is seen through it."""
    parts = httpx.URL(store.url.replace("{digest}", ""))
    with _forwarding(f"{parts.scheme}://{parts.netloc.decode()}") as proxy:
        yield proxy, replace(store, url=f"{proxy.origin}{parts.path}{{digest}}")


@contextmanager
def _forwarding(origin: str) -> Iterator[Between]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Forwards)
    server.daemon_threads = True
    proxy = Between(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    with httpx.Client(base_url=origin, trust_env=False, timeout=60) as upstream:
        server.upstream, server.proxy = upstream, proxy
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Forwards(BaseHTTPRequestHandler):
    """Forwards one request after the other of a connection."""

    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.proxy.faulty(self.command, self.path)
        if fault == "refused":
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.server.proxy.cut.is_set() or fault == "cut before":
            self.close_connection = True
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        answer = self.server.upstream.request(self.command, self.path, content=body, headers=headers)
        if answer.is_success:  # a busy SQLite answers 503, and the client asks again
            self.server.proxy.answered(self.command, self.path)
        if fault == "cut after":
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", self._length(answer))
        self.end_headers()
        self.wfile.write(answer.content)

    def _length(self, answer):
        """What follows, or to HEAD, what would."""
        return answer.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(answer.content))

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = forward  # noqa: N815 - the names that http.server looks for

    def log_message(self, *args):
        pass
