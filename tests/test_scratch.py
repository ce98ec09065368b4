"""Scratch folders: private, gone after use, and swept where their process was killed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from satflow_ext import scratch
from satflow_ext.errors import DiskFailed, DiskFull
from satflow_ext.process_identity import _read_linux_start, is_alive, read_identity
from satflow_ext.settings import Settings

MAKES = """
import os
from satflow_ext import scratch
from satflow_ext.settings import load_settings
print(scratch.make_scratch_folder(load_settings(), "run"), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Settings:
    monkeypatch.setenv("SATFLOW_RUNTIME_DIR", str(tmp_path / "run"))
    return Settings()


def test_what_a_killed_process_left_is_swept_and_nothing_else(here):
    killed = subprocess.run([sys.executable, "-c", MAKES], stdout=subprocess.PIPE, text=True, check=False)
    left = Path(killed.stdout.strip())
    (left / "content").write_bytes(b"a flow")
    mine = scratch.make_scratch_folder(here, "pack")
    earlier = mine.with_name(f"run-{os.getpid()}-00000000-of-a-process-that-had-this-number")
    earlier.mkdir()
    other = mine.parent / "somebody-else-s"
    other.mkdir()
    assert left.parent == mine.parent
    assert mine.stat().st_mode & 0o777 == mine.parent.stat().st_mode & 0o777 == 0o700
    assert scratch.remove_orphaned_folders(here) == 2
    assert sorted(mine.parent.iterdir()) == sorted([mine, other])


@pytest.mark.parametrize("changed", [0, 2**33], ids=["clock set forward", "clock set back"])
def test_a_clock_that_is_set_takes_no_folder_of_a_living_process(here, changed):
    """After a suspend or by NTP all processes seem to have begun later than before, or earlier."""
    mine = [scratch.make_scratch_folder(here, "run"), scratch.make_socket_folder()]
    for folder in mine:
        os.utime(folder, (changed, changed))
    assert scratch.remove_orphaned_folders(here) == 0
    assert all(folder.is_dir() for folder in mine)
    mine[1].rmdir()


def test_a_process_is_the_same_one_as_long_as_it_lives():
    own = read_identity(os.getpid())
    assert own is not None
    with subprocess.Popen(["sleep", "60"]) as other:
        identity = read_identity(other.pid)
        assert identity is not None
        assert identity not in (own, None)
        assert is_alive(other.pid, identity)
        assert not is_alive(other.pid, own)
        other.kill()
    assert read_identity(other.pid) is None
    assert not is_alive(other.pid, identity)


def test_a_command_name_with_brackets_and_spaces_is_no_field(tmp_path):
    program = tmp_path / "a) R 1 (b"
    program.symlink_to(shutil.which("sleep") or "/bin/sleep")
    with subprocess.Popen([program, "60"]) as odd:
        while "a) R 1" not in Path(f"/proc/{odd.pid}/stat").read_text():
            pass
        ticks = Path(f"/proc/{odd.pid}/stat").read_text().split()[-31]  # counted from the end, field 22 of 52
        assert _read_linux_start(odd.pid) == ticks
        odd.kill()


def test_a_folder_is_gone_after_the_block(here):
    with scratch.scratch_folder(here, "pack") as folder:
        (folder / "body").write_bytes(b"")
    assert not folder.exists()
    assert scratch.remove_orphaned_folders(here) == 0


def test_only_a_lack_of_room_is_told_as_one(tmp_path):
    with pytest.raises(DiskFull, match=f"no room left in {tmp_path}"), scratch.report_disk_full(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), scratch.report_disk_full(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_whatever_a_disk_does_not_do_is_told_with_its_place(tmp_path):
    with pytest.raises(DiskFull, match=f"no room left in {tmp_path}"), scratch.report_disk_errors(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(DiskFailed, match=f"{tmp_path} cannot be .*: Input/output error"),
        scratch.report_disk_errors(tmp_path),
    ):
        raise OSError(errno.EIO, "Input/output error")
    with (
        pytest.raises(DiskFailed, match="/content cannot be written or read: No such file"),
        scratch.report_disk_errors(tmp_path),
    ):
        (tmp_path / "content").read_bytes()
