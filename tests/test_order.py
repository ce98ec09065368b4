"""Test files that run at a time begin with the longest."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.order import KINDS_BY_TIME, LONGEST, longest_first


def test_the_longest_files_are_there():
    assert [each for each in LONGEST if not (Path(__file__).parent / each).is_file()] == []


def test_a_worker_begins_with_long_files_and_changes_no_order_within_one(request, monkeypatch):
    collected = list(request.session.items)
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    longest_first(items := collected[::-1])
    files = [path for path, _ in groupby(items, key=lambda item: item.path)]
    assert len(files) == len(set(files)), "the tests of a file stay together"
    for file in files:
        assert [each for each in items if each.path == file] == [each for each in collected[::-1] if each.path == file]
    kinds = [min(KINDS_BY_TIME.index(kind) for kind in _kinds(items, file)) for file in files if not _is_long(file)]
    assert kinds == sorted(kinds)
    assert [_is_long(file) for file in files] == sorted((_is_long(file) for file in files), reverse=True)


def test_without_workers_the_order_is_that_of_the_folders(request, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    longest_first(items := request.session.items[::-1])
    assert items == request.session.items[::-1]


def _kinds(items, file) -> set[str]:
    return {mark.name for item in items if item.path == file for mark in item.iter_markers()} & set(KINDS_BY_TIME)


def _is_long(file: Path) -> bool:
    return file.relative_to(Path(__file__).parent).as_posix() in LONGEST
