"""Web servers that somebody may take for a Dask Gateway, and one that takes connections and says nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.webhook import endpoint

ANSWERS = {
    "a page": (200, "text/html", b"<html>Log in</html>"),
    "a page that is not there": (404, "text/html", b"<html>Not here</html>"),
    "to a page": (302, "text/html", b""),
    "an object": (200, "application/json", b"{}"),
    "a list": (200, "application/json", b"[]"),
    "other options": (200, "application/json", b'{"cluster_options": 5}'),
    "no": (403, "text/plain", b"no"),
    "an error": (500, "application/json", b'{"error": "boom"}'),
    "not now": (503, "text/plain", b"later"),
}


@contextmanager
def answering(kind: str) -> Iterator[str]:
    """The address of a server that answers everything so; `nothing` for one that never does."""
    over = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            if kind == "nothing":
                over.wait(60)
                return
            status, content_type, body = ANSWERS[kind]
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "/login")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with endpoint(Answers) as url:
        try:
            yield url
        finally:
            over.set()
