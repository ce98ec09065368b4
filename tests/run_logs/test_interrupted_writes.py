"""Spool files of processes that are interrupted, forked in numbers, or whose disk and clock misbehave."""

from __future__ import annotations

import errno
import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from satflow_ext.run_logs import spool
from satflow_ext.run_logs.reading import SpoolReader, SpoolSnapshot
from satflow_ext.run_logs.spool import SpoolWriter, spool_files
from tests.run_logs.spooled import RUN, line, messages

Write = Callable[[int, bytes, int], None]


class _TaskTimeout(BaseException):
    """Stands for what a time limit or a signal raises in the middle of a call."""


def written(root: Path) -> list[str]:
    """The lines of the program, without notes."""
    return [each for each in messages(root) if each.startswith("line ")]


@pytest.mark.parametrize("part", [1.0, 0.5, 0.0], ids=["whole", "half", "nothing"])
def test_an_exception_from_outside_damages_no_line(tmp_path, monkeypatch, part):
    """It comes when a line is in the file, in part, or not at all."""
    write_whole, count = spool._write_whole, itertools.count()

    def interrupted(descriptor: int, data: bytes, offset: int) -> None:
        if next(count) % 4 == 3:
            os.pwrite(descriptor, data[: int(len(data) * part)], offset)
            raise _TaskTimeout
        write_whole(descriptor, data, offset)

    monkeypatch.setattr(spool, "_write_whole", interrupted)
    writer, lost = SpoolWriter(tmp_path), []
    for number in range(40):
        try:
            writer.write_line(line(f"line {number}: {'x' * (100 - number)}"))
        except _TaskTimeout:
            lost.append(f"line {number}:")
    found = messages(tmp_path)
    missing = [] if part == 1.0 else lost
    assert [each.partition(":")[0] + ":" for each in found] == [
        each for number in range(40) if (each := f"line {number}:") not in missing
    ]


def test_a_signal_handler_that_logs_in_the_middle_of_a_line_waits_for_its_end(tmp_path, monkeypatch):
    encode, writer = spool._encode_line, SpoolWriter(tmp_path)

    def logs_itself(fields, stamp: str) -> bytes:
        if fields["message"] == "line 1":
            writer.write_line(line("line of the handler"))
        return encode(fields, stamp)

    monkeypatch.setattr(spool, "_encode_line", logs_itself)
    logging = threading.Thread(
        target=lambda: [writer.write_line(line(f"line {number}")) for number in range(3)], daemon=True
    )
    logging.start()
    logging.join(60)
    assert not logging.is_alive(), "it waits for itself"
    assert messages(tmp_path) == ["line 0", "line 1", "line of the handler", "line 2"]


def test_many_processes_that_log_for_a_run_do_not_hold_each_other_up(tmp_path):
    """Each has a file that it writes, which is uploaded as far as it is written: that is not what the limit is about."""
    folder = tmp_path / RUN
    SpoolWriter(tmp_path).write_line(line("line of another"))
    (first,) = spool_files(folder)
    for process in range(40):
        (folder / f"{first.stem.partition('-')[0]}-{10_000_000 + process}{spool.SUFFIX}").write_bytes(
            first.read_bytes()
        )
    first.unlink()
    writer = SpoolWriter(tmp_path, file_limit=1_000, run_limit=32_000, upload_timeout=0.0)
    for number in range(40):
        writer.write_line(line(f"line {number}"))
    assert [each for each in written(tmp_path) if "another" not in each] == [f"line {number}" for number in range(40)]


def test_lines_of_more_runs_than_files_stay_open_are_bounded_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "MAX_OPEN_FILES", 1)
    writer = SpoolWriter(tmp_path, file_limit=1_000, run_limit=4_000, upload_timeout=0.0)
    for number in range(20):
        writer.write_line(line(f"line {number}"))
        writer.write_line(line("other", run="00000000-0000-0000-0000-000000000001"))
    writer.close()
    assert len(spool_files(tmp_path / RUN)) <= 5, "the last one for the count"
    kept = written(tmp_path)
    (note,) = [each for each in messages(tmp_path) if each.startswith("…")]
    assert f"{20 - len(kept)} log lines are missing here" in note


@pytest.mark.parametrize("reason", ["No space left on device", "デバイスに空き領域がありません" * 20, '"\\' * 200])
def test_a_disk_that_is_full_for_some_files_loses_only_what_is_counted(tmp_path, monkeypatch, reason):
    write_whole, is_full = spool._write_whole, [False]

    def failing(descriptor: int, data: bytes, offset: int) -> None:
        if is_full[0] and offset + len(data) > spool.HEADER_SIZE:
            raise OSError(errno.ENOSPC, reason)
        if is_full[0] and os.fstat(descriptor).st_size == 0:  # the header of a new file
            raise OSError(errno.ENOSPC, reason)
        write_whole(descriptor, data, offset)

    monkeypatch.setattr(spool, "_write_whole", failing)
    writer = SpoolWriter(tmp_path, file_limit=1_500)
    for number in range(100):
        is_full[0] = 20 <= number < 70
        writer.write_line(line(f"line {number}"))
    writer.close()
    assert written(tmp_path) == [f"line {number}" for number in (*range(20), *range(70, 100))]
    notes = [each for each in messages(tmp_path) if each.startswith("…")]
    assert [each.partition(":")[0] for each in notes] == ["… 50 log lines are missing here"]


def test_files_keep_their_order_when_the_clock_is_set_back(tmp_path, monkeypatch):
    clock = itertools.count(2_000_000_000_000_000_000, -1_000_000_000_000)
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    writer = SpoolWriter(tmp_path, file_limit=1_000)
    for number in range(50):
        writer.write_line(line(f"line {number}"))
    texts = [each for file in spool_files(tmp_path / RUN) for each in file.read_bytes().splitlines()[1:]]
    assert [b'"line %d"' % number in text for number, text in enumerate(texts)] == [True] * 50


def test_a_reader_that_comes_late_reads_in_order(tmp_path):
    """Files that wait are larger than what is read at once."""
    writer = SpoolWriter(tmp_path)
    for number in range(7):
        writer.write_line(line(f"line {number} {'x' * 700_000}"))
    writer.write_line(line("the last"))
    assert len(spool_files(tmp_path / RUN)) > 1
    reader, found = SpoolReader(tmp_path / RUN), []
    while new := reader.read_new_lines():
        found += [each.message.split(" x")[0] for each in new]
    assert found == [*(f"line {number}" for number in range(7)), "the last"]
    assert not reader.is_finished
    writer.close()
    assert (reader.read_new_lines(), reader.is_finished) == ([], True)


def test_a_reader_lets_go_of_its_files(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.write_line(line("line"))
    before = len(os.listdir("/proc/self/fd"))
    reader = SpoolReader(tmp_path / RUN)
    reader.read_new_lines()
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    "damage", [b"\0" * 64, b"[]", b'{"message": 1}', b"\xff", b'{"timestamp": "2026-11-29T06:00:00Z"}']
)
def test_a_damaged_line_costs_no_other(tmp_path, damage):
    writer = SpoolWriter(tmp_path)
    for number in range(10):
        writer.write_line(line(f"line {number}"))
    writer.close()
    (file,) = spool_files(tmp_path / RUN)
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([*lines[:6], damage, *lines[6:]]) + b"\n")
    assert written(tmp_path) == [f"line {number}" for number in range(10)]
    again = [SpoolSnapshot(tmp_path / RUN) for _ in range(2)]
    notes = []
    for snapshot in again:
        snapshot.read_files()
        notes += [each for each in snapshot.yield_until(None) if "damaged log line" in each.message]
    assert len(notes) == 2
    assert notes[0].id == notes[1].id, "whoever reads it says the same"
