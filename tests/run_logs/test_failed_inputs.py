"""The short form of a failed task's inputs: plain values, types of other objects, and no secret."""

from __future__ import annotations

import datetime
import stat
from pathlib import Path

import numpy as np
import pytest

from satflow_ext.credentials import redacting_filter
from satflow_ext.run_logs import failed_inputs
from satflow_ext.run_logs.failed_inputs import HIDDEN, MAX_LENGTH, describe_inputs, read_failed_inputs
from satflow_ext.settings import Settings


class Awkward:
    """An object each of whose methods raises."""

    def __getattribute__(self, name):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError

    __str__ = __len__ = __bool__ = __iter__ = __format__ = __repr__


class Listing(list):
    """A list whose own code must not run."""

    __repr__ = __len__ = __iter__ = Awkward.__repr__


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        (True, "True"),
        (3.5, "3.5"),
        (10**400, "int"),
        ("a\nb", r"'a\nb'"),
        (b"abc", "bytes (3)"),
        ([1, "a"], "[1, 'a']"),
        ((), "empty tuple"),
        ({"a": [1]}, "{'a': [1]}"),
        ([[[[1]]]], "[[[list (1)]]]"),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, …]"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (Path("/a/b"), "/a/b"),
        (np.zeros((3, 2)), "ndarray (3, 2)"),
        (np.int64(4), "int64 4"),
        (Awkward(), "Awkward"),
        ([Awkward()], "[Awkward]"),
        (Listing([1]), "Listing"),
        (Awkward, "type"),
    ],
    ids=range(19),
)
def test_short_forms(value, shown):
    assert describe_inputs({"x": value}) == {"x": shown}


def test_long_values_are_shortened():
    shown = describe_inputs({"text": "x" * 10_000, "many": ["y" * 80] * 6})
    assert all(len(each) <= MAX_LENGTH for each in shown.values())


@pytest.mark.parametrize(
    "inputs",
    [
        {"x": "before hunter2-and-more after"},
        {"x": ["hunter2-and-more"]},
        {"x": {"hunter2-and-more": 1}},
        {"x": "-" * 90 + "hunter2-and-more"},
        {"x": Path("/mnt/hunter2-and-more")},
        {"api_token": "hunter2-and-more"},
        {"x": {"password": "hunter2-and-more"}},
        {"password": ["hunter2-and-more"]},
    ],
)
def test_no_part_of_a_secret_is_shown(inputs, monkeypatch):
    monkeypatch.setenv("PASSWORD", "hunter2-and-more")
    monkeypatch.setenv(redacting_filter.NAMES_VARIABLE, "PASSWORD")
    assert "hunter" not in str(describe_inputs(inputs))


@pytest.mark.parametrize("value", ["Xy7-aa91-bb", b"abc", 4711, ["Xy7-aa91-bb"], {"a": "Xy7-aa91-bb"}])
def test_an_input_with_the_name_of_a_credential_is_hidden(value):
    assert describe_inputs({"api_key": value}) == {"api_key": HIDDEN}


def test_a_file_per_run_which_only_the_user_reads(tmp_path, monkeypatch):
    settings = Settings(runtime_dir=tmp_path)
    monkeypatch.setattr(failed_inputs, "MAX_FILES", 3)
    for run in ("a", "b", "c", "d"):
        for task in ("t1", "t2"):
            failed_inputs._append(settings, run, {"task_run_id": task, "inputs": {"x": task}})
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert read_failed_inputs(settings, "d") == {"t1": {"x": "t1"}, "t2": {"x": "t2"}}
    assert len(list(folder.iterdir())) == 3


def test_damaged_files_are_ignored(tmp_path):
    settings = Settings(runtime_dir=tmp_path)
    assert read_failed_inputs(settings, "none") == {}
    failed_inputs._append(settings, "a", {"task_run_id": "t", "inputs": {"x": "1"}})
    (file,) = tmp_path.rglob("*.jsonl")
    file.write_bytes(b'[]\n{"inputs": 3}\n{"task\n' + file.read_bytes())
    assert read_failed_inputs(settings, "a") == {"t": {"x": "1"}}
