"""Files that are there whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from satflow_ext import atomic_files


def test_threads_that_replace_one_file_at_once(tmp_path: Path) -> None:
    contents = [str(number).encode() * 10_000 for number in range(100)]
    path = tmp_path / "stack.json"
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda content: atomic_files.write_atomically(path, content), contents))
    assert path.read_bytes() in contents
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        atomic_files.write_atomically(tmp_path / "folder", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
