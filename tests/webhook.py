"""HTTP endpoints that somebody might name as a store: one that keeps, and others that answer as stores should not."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet(BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    def answer(self, status, body=b"", kind="application/octet-stream", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def endpoint(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def always(status, body=b"", kind="application/octet-stream", **headers):
    """A handler with the same answer to everything."""

    class Handler(Quiet):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(status, body, kind, **headers)

        do_PUT = do_POST = do_HEAD = do_GET  # noqa: N815  # the names that http.server looks for

    return Handler


def moody():
    """A handler that keeps contents while its `mood` is None, and else gives that as its answer to everything."""

    class Handler(Quiet):
        mood = None
        kept = {}  # noqa: RUF012 - shared by all requests, as a store's folder is

        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.mood is None:
                self.kept[self.path] = body
                self.answer(201)
            else:
                self.answer_in_mood()

        def do_GET(self):
            if self.mood is not None:
                self.answer_in_mood()
            elif self.path in self.kept:
                self.answer(200, self.kept[self.path])
            else:
                self.answer(404)

        def answer_in_mood(self):
            status, body, kind, headers = self.mood
            self.answer(status, body, kind, **headers)

        def do_HEAD(self):
            self.answer(404)

    return Handler
