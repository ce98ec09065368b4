"""A lock that leaves no file: with many who want it there is never more than one who has it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from satflow_ext.file_lock import lock_file, try_lock_file

KILLED = """
import os, sys
from pathlib import Path
from satflow_ext.file_lock import lock_file
with lock_file(Path(sys.argv[1])):
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_one_at_a_time_and_nothing_stays(tmp_path):
    path, count = tmp_path / "lock", tmp_path / "count"
    count.write_text("0")

    def add_one(_: int) -> None:
        with lock_file(path):
            count.write_text(str(int(count.read_text()) + 1))

    with ThreadPoolExecutor(16) as many:
        list(many.map(add_one, range(800)))
    assert count.read_text() == "800"
    assert [each.name for each in tmp_path.iterdir()] == ["count"]


def test_who_is_killed_gives_it_back(tmp_path):
    path: Path = tmp_path / "lock"
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == -9
    with lock_file(path):
        assert path.exists()
    assert not path.exists()


@pytest.mark.slow
def test_many_who_do_not_wait_are_alone_as_well(tmp_path):
    path, count = tmp_path / "lock", tmp_path / "count"
    count.write_text("0")

    def add_one(_: int) -> None:
        while True:
            with try_lock_file(path) as mine:
                if mine:
                    count.write_text(str(int(count.read_text()) + 1))
                    return

    with ThreadPoolExecutor(8) as many:
        list(many.map(add_one, range(200)))
    assert count.read_text() == "200"
    assert [each.name for each in tmp_path.iterdir()] == ["count"]
