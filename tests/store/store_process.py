"""A running store, and how it is spoken to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import httpx

TOKEN = "a-token-of-the-tests"


@dataclass
class StoreProcess:
    """A running store, and an HTTP client with its credential."""

    process: subprocess.Popen[str]
    url: str
    http: httpx.Client

    def put(self, digest: str, body: bytes) -> httpx.Response:
        return self.http.put(f"{self.url}/{digest}", content=body)

    def get(self, digest: str) -> httpx.Response:
        return self.http.get(f"{self.url}/{digest}")

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()


StartStore = Callable[..., StoreProcess]
