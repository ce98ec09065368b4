"""A webhook on this machine, and the cell that saves it as a notification block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = """
import satflow_ext
from prefect.blocks.notifications import CustomWebhookNotificationBlock

body = {{"subject": "{{{{subject}}}}", "body": "{{{{body}}}}"}}
satflow_ext.save_block(CustomWebhookNotificationBlock(name="tests", url="{url}", json_data=body), "team")
"""


@contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    """A webhook on this machine: its address, and the bodies that it received."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", received
    finally:
        server.shutdown()
        server.server_close()
