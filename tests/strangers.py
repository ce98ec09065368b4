"""A second user of this machine: processes that run as `nobody`, without any group of this user's.

The interpreter starts as root and then gives up its rights, so that it works in folders that only root can read.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

NOBODY = 65534

BECOME_NOBODY = f"""
import contextlib, encodings.idna, os, socket, sys, threading, time
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
say = lambda text: print(text, flush=True)
"""

TAKE_PORT = """
ports = [int(port) for port in sys.argv[1:]]

def record(connection):
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(65536):
            say(f"received {data!r}")
            connection.sendall(b'HTTP/1.1 401 No\\r\\nWWW-Authenticate: Basic\\r\\nContent-Length: 0\\r\\n\\r\\n')

def take(port):
    while True:
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
            say(f"bound {listener.getsockname()[1]}")
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=record, args=(connection,), daemon=True).start()
        time.sleep(0.0005)

for port in ports:
    threading.Thread(target=take, args=(port,), daemon=True).start()
say("ready")
sys.stdin.read()
"""
"""Listens at the ports as soon as it can, and says what it receives; to each message it answers that a credential is needed."""

HOLD_CONNECTIONS = """
port, count = map(int, sys.argv[1:])
kept = []
for _ in range(count):
    with contextlib.suppress(OSError):
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        kept.append(connection)
say(f"opened {len(kept)}")
sys.stdin.read()
"""
"""Opens connections, sends nothing, and keeps them open."""


class Stranger:
    """A process of another user.

    Args:
        script: what it does.
        arguments: of the script.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        assert os.geteuid() == 0, "this test needs root, for a second user"
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", BECOME_NOBODY + script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self) -> str:
        """The next line that it says, "" after its end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def end(self) -> list[str]:
        """Let it end, where it has not; what it said since the last line that was read."""
        if self._process.returncode is not None:
            return []
        rest, _ = self._process.communicate()
        return rest.splitlines()


@contextlib.contextmanager
def stranger(script: str, *arguments: object) -> Iterator[Stranger]:
    """A process of another user, which ends with the block."""
    process = Stranger(script, *map(str, arguments))
    try:
        yield process
    finally:
        process.end()
