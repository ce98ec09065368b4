"""moto's S3 with one request at a time: by itself it trips over two writers of one object (a closed buffer, 500)."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from io import BytesIO

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

moto = DomainDispatcherApplication(create_backend_app)
turn = threading.Lock()


def one_at_a_time(environ, start_response):
    """Read the body first, so that a slow sender keeps nobody else waiting, and then give moto the request."""
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", ""):
        length = environ.get("CONTENT_LENGTH") or "0"
        body = environ["wsgi.input"].read(int(length)) if length.isdigit() else b""
        if str(len(body)) != length:
            start_response("400 Bad Request", [("Content-Length", "0")])
            return []
        environ["wsgi.input"] = BytesIO(body)
    with turn:
        return list(moto(environ, start_response))


if __name__ == "__main__":
    logging.disable()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, fd=listener.fileno())
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
