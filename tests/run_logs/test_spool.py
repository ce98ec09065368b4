"""Spool files: each line is in them whatever happens to the process or the disk, and what is not is counted."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from satflow_ext.run_logs.reading import SpoolReader, SpoolSnapshot
from satflow_ext.run_logs.spool import SpoolWriter, spool_files
from tests.run_logs.spooled import NOW, RUN, line, messages


def test_identical_lines_of_one_moment_stay_apart_and_in_order(tmp_path):
    writer = SpoolWriter(tmp_path)
    for number in range(100):
        writer.write_line(line("same"))
        writer.write_line(line(f"line {number}"))
    snapshot = SpoolSnapshot(tmp_path / RUN)
    snapshot.read_files()
    lines = list(snapshot.yield_until(None))
    assert len({each.id for each in lines}) == 200
    assert [each.message for each in lines[1::2]] == [f"line {number}" for number in range(100)]


def test_a_clock_that_is_set_back_is_believed(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.write_line(line("before", NOW.replace(hour=8)))
    writer.write_line(line("after"))
    snapshot = SpoolSnapshot(tmp_path / RUN)
    snapshot.read_files()
    assert [each.time for each in snapshot.yield_until(None)] == [NOW, NOW.replace(hour=8)]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a\0b", "a\N{SYMBOL FOR NULL}b"),
        ("half \ud83d of a pair", "half ? of a pair"),
        ("two\nlines\r\n", "two\nlines\r\n"),
        ("\x1b[31m\x07\x80\xff", "\x1b[31m\x07\x80\xff"),
        ("𝄞 ü", "𝄞 ü"),
        ("", ""),
        ("x" * 20_000_000, "x" * 20_000_000),
    ],
    ids=["NUL", "surrogate", "line ends", "control characters", "unicode", "empty", "20 MB"],
)
def test_any_text(tmp_path, written, kept):
    SpoolWriter(tmp_path).write_line(line(written))
    assert messages(tmp_path) == [kept]


def test_files_are_private_bounded_and_complete_when_closed(tmp_path):
    writer = SpoolWriter(tmp_path / "spool", file_limit=2_000, run_limit=1_000_000)
    for number in range(100):
        writer.write_line(line(f"line {number}"))
    files = spool_files(tmp_path / "spool" / RUN)
    assert len(files) > 10
    assert all(file.stat().st_size <= 2_000 and file.stat().st_mode & 0o077 == 0 for file in files)
    reader = SpoolReader(tmp_path / "spool" / RUN)
    read = []
    while new := reader.read_new_lines():
        read += new
    assert [each.message for each in read] == [f"line {number}" for number in range(100)]
    assert not reader.is_finished, "the last file is still open"
    writer.close()
    reader.read_new_lines()
    assert reader.is_finished


def test_runs_and_many_subflows_have_folders_of_their_own(tmp_path):
    writer, runs = SpoolWriter(tmp_path), [str(uuid4()) for _ in range(200)]
    for number in range(3):
        for run in runs:
            writer.write_line(line(f"line {number}", run=run))
    assert all(messages(tmp_path, run) == ["line 0", "line 1", "line 2"] for run in runs)


def test_a_forked_child_has_files_of_its_own(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.write_line(line("parent before"))
    child = multiprocessing.get_context("fork").Process(target=lambda: writer.write_line(line("child")))
    child.start()
    child.join()
    writer.write_line(line("parent after"))
    assert sorted(messages(tmp_path)) == ["child", "parent after", "parent before"]
    assert len(spool_files(tmp_path / RUN)) == 2


WRITES = """
import sys, json
from pathlib import Path
from satflow_ext.run_logs.spool import SpoolWriter
writer = SpoolWriter(Path(sys.argv[1]), file_limit=20_000)
fields = json.loads(sys.argv[2])
for number in range(1_000_000):
    writer.write_line({**fields, "message": f"line {number}"})
    print(number, flush=True)
"""


def test_every_line_of_a_killed_process_is_there(tmp_path):
    command = [sys.executable, "-c", WRITES, str(tmp_path), json.dumps(line(""))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(2_000):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        last = 2_000 + len(process.stdout.read().split())
    found = [each for each in messages(tmp_path) if each.startswith("line ")]
    assert found[: last - 1] == [f"line {number}" for number in range(last - 1)]
    reader = SpoolReader(tmp_path / RUN)
    while reader.read_new_lines():
        pass
    assert reader.is_finished


def test_a_line_that_was_cut_off_is_reported(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.write_line(line("whole"))
    writer.close()
    (file,) = spool_files(tmp_path / RUN)
    with file.open("ab") as half:
        half.write(b'{"flow_run_id": "')
    whole, note = messages(tmp_path)
    assert (whole, "last log line is missing" in note) == ("whole", True)


FILLS_THE_DISK = """
import sys, json, resource, signal
from pathlib import Path
from satflow_ext.run_logs.spool import SpoolWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer, fields = SpoolWriter(Path(sys.argv[1])), json.loads(sys.argv[2])
writer.write_line({**fields, "message": "line 0"})
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), limit[1]))
for number in range(1, 100):
    writer.write_line({**fields, "message": f"line {number}"})
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
writer.write_line({**fields, "message": "line 100"})
"""


@pytest.mark.parametrize("room", [0, 5_000])
def test_lines_that_a_full_disk_does_not_take_are_counted(tmp_path, room):
    subprocess.run([sys.executable, "-c", FILLS_THE_DISK, str(tmp_path), json.dumps(line("")), str(room)], check=True)
    found = messages(tmp_path)
    kept = [each for each in found if each.startswith("line ")]
    (note,) = [each for each in found if each.startswith("…")]
    assert {"line 0", "line 100"} <= set(kept)
    assert f"{101 - len(kept):,} log lines are missing here" in note
    assert "File too large" in note or "No space left" in note


def test_a_flood_waits_for_the_upload(tmp_path):
    """More than may wait: the writer stands still, and goes on when the oldest file is removed."""
    writer = SpoolWriter(tmp_path, file_limit=1_000, run_limit=5_000)
    flood = threading.Thread(target=lambda: [writer.write_line(line(f"line {number}")) for number in range(60)])
    flood.start()
    taken: list[str] = []
    while flood.is_alive():
        files = spool_files(tmp_path / RUN)
        assert len(files) <= 5
        if len(files) == 5:
            taken += _take(files[0])
        time.sleep(0.001)
    taken += messages(tmp_path)
    assert taken == [f"line {number}" for number in range(60)]


def test_a_flood_without_any_upload_is_cut_and_counted(tmp_path):
    writer = SpoolWriter(tmp_path, file_limit=1_000, run_limit=3_000, upload_timeout=0.2)
    for number in range(100):
        writer.write_line(line(f"line {number}"))
    writer.close()
    *kept, note = sorted(messages(tmp_path), key=lambda each: each.startswith("…"))
    assert len(spool_files(tmp_path / RUN)) == 3
    assert f"{100 - len(kept)} log lines are missing here: the Prefect API accepted no lines" in note


def _take(file: Path) -> list[str]:
    """Read and remove a file, as the uploader does."""
    lines = [json.loads(each)["message"] for each in file.read_bytes().splitlines()[1:]]
    file.unlink()
    return lines


def test_a_spool_folder_of_another_user_is_refused(tmp_path):
    from satflow_ext.errors import StackFailed

    if os.getuid():
        pytest.skip("needs another user's folder")
    (tmp_path / "spool").mkdir()
    os.chown(tmp_path / "spool", 65534, 65534)
    with pytest.raises(StackFailed, match="is not a folder that you own"):
        SpoolWriter(tmp_path / "spool")
