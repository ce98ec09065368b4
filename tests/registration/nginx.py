"""Debian's nginx as a store: a server that nobody of us wrote, with WebDAV's PUT and a credential."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

CONFIGURATION = """
daemon off; worker_processes 1; error_log {root}/error.log; pid {root}/nginx.pid; user {user};
events {{ }}
http {{
  access_log off; client_body_temp_path {root}/body; client_max_body_size 1m;
  proxy_temp_path {root}/t1; fastcgi_temp_path {root}/t2; uwsgi_temp_path {root}/t3; scgi_temp_path {root}/t4;
  {server}
}}
"""

PLAIN = """
  server {{
    listen 127.0.0.1:{port}; root {root}/files;
    location /contents/ {{
      if ($http_authorization != "{secret}") {{ return 401; }}
      dav_methods PUT; create_full_put_path on;
    }}
  }}
"""


@contextmanager
def running_nginx(root: Path, secret: str, server: str = PLAIN) -> Iterator[str]:
    """Its URL template, while the block runs. The plain server takes contents up to 1 MiB."""
    executable = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert executable, "nginx is not installed: run scripts/setup"
    (root / "files").mkdir()
    port = free_port()
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    described = server.format(root=root, port=port, secret=secret)
    (root / "nginx.conf").write_text(CONFIGURATION.format(root=root, user=user, server=described))
    process = subprocess.Popen([executable, "-e", root / "error.log", "-c", root / "nginx.conf", "-p", root])
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/contents/{{digest}}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
