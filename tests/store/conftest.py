"""A store of the tests' own, as a real process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.store.store_process import TOKEN, StartStore, StoreProcess


@pytest.fixture
def start_store(tmp_path: Path) -> Iterator[StartStore]:
    """Start a store in a folder; all are stopped after the test."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with contextlib.ExitStack() as stack:

        def start(
            root: Path = tmp_path / "store", *, limit: int = 1_000_000, descriptors: int | None = None
        ) -> StoreProcess:
            arguments = ["--root", str(root), "--token-file", str(token), "--limit", str(limit)]
            limited = ["prlimit", f"--nofile={descriptors}:{descriptors}"] if descriptors else []
            process = subprocess.Popen(
                [*limited, sys.executable, "-m", "satflow_ext.store", *arguments], stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.wait, timeout=10)
            stack.callback(process.kill)
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            http = httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=20)
            store = StoreProcess(process, url, http)
            stack.callback(store.stop)
            return store

        yield start


@pytest.fixture
def store(start_store: StartStore) -> StoreProcess:
    """A store that takes contents of up to a million bytes."""
    return start_store()
