"""`python -m satflow_ext.store --root DIR --token-file FILE`: run the built-in store, on loopback only."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import stat
import sys
from pathlib import Path

from tornado import web
from tornado.httpserver import HTTPServer

from satflow_ext.bounded_listener import BoundedListener
from satflow_ext.settings import GIB
from satflow_ext.store.contents import Contents
from satflow_ext.store.handlers import BearerHandler, ContentHandler

BODY_TIMEOUT = 600.0
IDLE_TIMEOUT = 300.0
UNLIMITED_SIZE = 2**62  # tornado's own limit answers without JSON; the handler's limit applies first


def main() -> int:
    """Serve until SIGTERM."""
    arguments = _create_parser().parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        token = read_token(arguments.token_file)
    except (OSError, ValueError) as error:
        sys.exit(f"The store does not start, because its credential cannot be read: {error}.")
    contents = Contents(arguments.root, limit=arguments.limit)
    try:
        contents.prepare_folders()
    except NotADirectoryError as error:
        sys.exit(f"The store does not start: {error.filename} is {error.strerror}. Replace it with a folder.")
    asyncio.run(_serve_contents(contents, token, _open_listener(arguments)))
    return 0


def create_application(contents: Contents, token: bytes) -> web.Application:
    """Return the store's application with its routes."""
    return web.Application(
        [
            (r"/contents/(sha256(?::|%3[Aa])[0-9a-f]{64})", ContentHandler, {"token": token, "contents": contents}),
            (r".*", BearerHandler, {"token": token}),
        ],
    )


def read_token(path: Path) -> bytes:
    """Read the credential from a file that only this user may read.

    Raises:
        ValueError: other users may read the file, or it is empty.
        OSError: the file cannot be read.
    """
    found = path.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise ValueError(f"{path} must belong to this user and have mode 0600")
    token = path.read_bytes().strip()
    if not token:
        raise ValueError(f"{path} is empty")
    return token


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m satflow_ext.store", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder for the contents")
    parser.add_argument("--token-file", type=Path, required=True, help="file with the bearer credential, mode 0600")
    parser.add_argument("--port", type=int, default=0, help="loopback port (default: a free one)")
    parser.add_argument("--fd", type=int, help="descriptor of a listening socket, instead of a port")
    parser.add_argument("--limit", type=int, default=GIB // 4, help="largest content in bytes (default: %(default)s)")
    return parser


def _open_listener(arguments: argparse.Namespace) -> socket.socket:
    if arguments.fd is not None:
        return BoundedListener(arguments.fd)
    return BoundedListener(socket.create_server(("127.0.0.1", arguments.port), backlog=1024).detach())


async def _serve_contents(contents: Contents, token: bytes, listener: socket.socket) -> None:
    listener.setblocking(False)
    server = HTTPServer(
        create_application(contents, token),
        max_body_size=UNLIMITED_SIZE,
        body_timeout=BODY_TIMEOUT,
        idle_connection_timeout=IDLE_TIMEOUT,
        chunk_size=1024 * 1024,
    )
    server.add_sockets([listener])
    host, port = listener.getsockname()
    sys.stdout.write(f"http://{host}:{port}/contents\n")
    sys.stdout.flush()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await over.wait()
    server.stop()


if __name__ == "__main__":
    sys.exit(main())
