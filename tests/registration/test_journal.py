"""The journal on disk, and what it and Prefect together say."""

from __future__ import annotations

import stat
from dataclasses import replace

import pytest

from satflow_ext.deployments.journal import DeploymentWrite, Journal
from satflow_ext.deployments.recovery import LiveState, classify_divergence
from satflow_ext.endpoints import Endpoints, PrefectApi, Store
from satflow_ext.errors import JournalFailed
from satflow_ext.settings import Settings
from satflow_ext.versions.pin import Pin

NAME = "counts/nightly"
HERE = Endpoints(PrefectApi("http://127.0.0.1:1/api"), Store("local", "http://127.0.0.1:2/{digest}"), None, local=True)


def written(number, version=None):
    return DeploymentWrite(
        number=number,
        version=version or number,
        store="local",
        manifest=f"sha256:{number:064}",
        parameters={"count": 2},
        tags=("nightly",),
        work_pool="satflow-local",
        schedules=({"schedule": {"cron": "0 6 * * *"}},),
        paused=False,
    )


def pin(number):
    return Pin("local", f"sha256:{number:064}")


@pytest.fixture
def journal(tmp_path):
    return Journal(Settings(state_dir=tmp_path / "state"))


def kept(journal, **fields):
    entry = journal.new_entry(HERE, NAME).model_copy(update=fields)
    journal.write_entry(entry)
    return entry


def test_an_entry_is_read_as_it_was_written_and_by_its_user_only(journal, tmp_path):
    entry = kept(journal, count=2, written=written(1), begun=written(2))
    assert journal.read_entry(HERE, NAME) == entry
    assert journal.read_entry(replace(HERE, prefect=PrefectApi("http://127.0.0.1:3/api")), NAME) == entry, (
        "its port changes"
    )
    folder = tmp_path / "state" / "journal"
    (file,) = folder.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, file)] == [0o700, 0o600]


def test_another_prefects_deployment_of_that_name_is_another_one(journal):
    kept(journal)
    there = replace(HERE, local=False, prefect=PrefectApi("http://ada:secret@prefect.example/api"))
    assert journal.read_entry(there, NAME) is None
    entry = journal.new_entry(there, NAME)
    journal.write_entry(entry)
    assert (entry.prefect, entry.marker_name) == ("http://prefect.example/api", None)
    assert [each.prefect for each in journal.local_entries()] == ["local"]


def test_forgotten(journal):
    entry = kept(journal)
    assert journal.remove_entry(HERE, NAME) == entry
    assert (journal.read_entry(HERE, NAME), journal.remove_entry(HERE, NAME), journal.local_entries()) == (
        None,
        None,
        [],
    )


def test_what_a_killed_process_left_goes_with_the_next_write(journal, tmp_path):
    entry = kept(journal)
    (file,) = (tmp_path / "state" / "journal").iterdir()
    file.with_name(f".{file.name}.4711").write_text('{"format": 1, "pre')
    journal.write_entry(entry)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_damaged_entry_is_told_with_its_path_and_hides_no_other(journal, tmp_path):
    kept(journal)
    (file,) = (tmp_path / "state" / "journal").iterdir()
    file.write_text("{}")
    other = journal.new_entry(HERE, "counts/hourly")
    journal.write_entry(other)
    with pytest.raises(JournalFailed, match=f"{file.name} cannot be read.*Move the file away"):
        journal.read_entry(HERE, NAME)
    assert journal.local_entries() == [other]


def test_a_disk_that_takes_nothing_leaves_what_was_there(journal, tmp_path, monkeypatch):
    entry = kept(journal)
    (tmp_path / "state" / "journal").rename(tmp_path / "aside")
    (tmp_path / "state" / "journal").write_text("no folder")
    with pytest.raises(JournalFailed, match="cannot be written"):
        journal.write_entry(entry)


@pytest.mark.parametrize(
    ("live", "then"),
    [(pin(2), written(2)), (pin(1), written(1)), (pin(9), written(1)), (None, written(1))],
    ids=["Prefect has it", "Prefect has the one before", "Prefect has another one", "Prefect has none"],
)
def test_a_begun_write_is_seen_through_or_forgotten(journal, live, then):
    settled = kept(journal, count=2, written=written(1), begun=written(2)).settle_begun_write(live)
    assert (settled.written, settled.begun, settled.count) == (then, None, 2)
    assert settled.settle_begun_write(live) == settled


@pytest.mark.parametrize(
    ("live", "seen", "verdict"),
    [
        (LiveState(3, pin(3)), 3, "as written"),
        (LiveState(3, pin(3)), 0, "as written"),
        (LiveState(4, pin(4)), 3, "newer"),
        (LiveState(4, pin(4)), None, "newer"),
        (None, 2, "lost"),
        (None, 0, "lost"),
        (LiveState(2, pin(2)), 2, "lost"),
        (None, 3, "deleted"),
        (None, None, "gone"),
        (LiveState(2, pin(2)), 3, "changed"),
        (LiveState(2, pin(2)), None, "changed"),
        (LiveState(3, pin(9)), 2, "changed"),
        (LiveState(0, None), 0, "changed"),
    ],
)
def test_what_became_of_version_3(live, seen, verdict):
    assert classify_divergence(written(3), live, seen) == verdict
