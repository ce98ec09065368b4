"""A proxy between SatFlow and a Prefect API, so that a test can act at an exact moment of a conversation, or end it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from satflow_ext.endpoints import PrefectApi

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "content-encoding", "accept-encoding"}


@dataclass
class Between:
    """The proxy. `answered` is called with method and path when the API has done it and before the caller hears of it.

    Once `cut` is set, every connection is closed without an answer.
    """

    api: PrefectApi
    answered: Callable[[str, str], None] = lambda method, path: None
    cut: threading.Event = field(default_factory=threading.Event)


@contextmanager
def between(api: PrefectApi) -> Iterator[Between]:
    """A proxy before that API while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Forwards)
    server.daemon_threads = True
    proxy = Between(PrefectApi(f"http://127.0.0.1:{server.server_port}/api", auth_string=api.auth_string))
    thread = threading.Thread(target=server.serve_forever)
    with httpx.Client(base_url=api.url.removesuffix("/api"), trust_env=False, timeout=60) as upstream:
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
        if self.server.proxy.cut.is_set():
            self.close_connection = True
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        answer = self.server.upstream.request(self.command, self.path, content=body, headers=headers)
        if answer.is_success:  # a busy SQLite answers 503, and the client asks again
            self.server.proxy.answered(self.command, self.path)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = forward  # noqa: N815 - the names that http.server looks for

    def log_message(self, *args):
        pass
