"""Where a cluster is stays out of what is said of it: the run's log and its state go to the Prefect API."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"\b[a-z]+://[^\s'\">,)]+")
SOCKET = re.compile(r"\(?'[^']+', \d+(, \d+, \d+)?\)")
"""As Python writes the place of a socket: `('192.0.2.7', 22)`."""


def without_addresses(text: str, *hosts: str) -> str:
    """The text in one line, with "…" for addresses and for these hosts."""
    line = SOCKET.sub("…", ADDRESS.sub("…", " ".join(text.split())))
    for host in hosts:
        line = line.replace(host, "…")
    return line.rstrip(".")
