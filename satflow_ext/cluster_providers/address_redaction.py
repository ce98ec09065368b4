"""Remove cluster addresses from messages, because the run's log and its state are sent to the Prefect API."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"\b[a-z]+://[^\s'\">,)]+")
SOCKET = re.compile(r"\(?'[^']+', \d+(, \d+, \d+)?\)")
"""A socket address as Python formats it: `('192.0.2.7', 22)`."""


def redact_addresses(text: str, *hosts: str) -> str:
    """Join the text into one line and replace addresses and these hosts with "…"."""
    line = SOCKET.sub("…", ADDRESS.sub("…", " ".join(text.split())))
    for host in hosts:
        line = line.replace(host, "…")
    return line.rstrip(".")
