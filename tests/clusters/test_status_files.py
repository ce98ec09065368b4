"""The board: private, replaced whole, and rid of what a killed flow run left behind."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from satflow_ext.clusters.sample_history import MAX_BYTES, SampleHistory, to_moment
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.server.clusters import UpdateReader
from satflow_ext.settings import Settings
from tests.clusters.statuses import RUN, status


@pytest.fixture
def settings(tmp_path):
    return Settings(runtime_dir=tmp_path / "run", state_dir=tmp_path)


def test_what_was_posted_is_read(settings):
    board = StatusFiles(settings)
    posted = status()
    board.write_status(posted)
    assert board.read_status(RUN) == posted
    assert board.read_statuses() == ((posted,), ())


def test_empty_board(settings):
    assert StatusFiles(settings).read_status(RUN) is None
    assert StatusFiles(settings).read_statuses() == ((), ())
    assert StatusFiles(settings).read_history(RUN) == ()


def test_later_post_takes_the_place_of_the_earlier(settings):
    board = StatusFiles(settings)
    board.write_status(status(state="starting"))
    board.write_status(status(state="running"))
    assert [s.state for s in board.read_statuses()[0]] == ["running"]


def test_removed_is_gone_and_removing_twice_is_fine(settings):
    board = StatusFiles(settings)
    board.write_status(status())
    board.remove_status(RUN)
    board.remove_status(RUN)
    assert board.read_status(RUN) is None
    assert list((settings.runtime_dir / "clusters").iterdir()) == []


def test_that_there_is_none_is_said_until_there_is_one(settings):
    board = StatusFiles(settings)
    board.write_status(status())
    board.write_absent(RUN)
    assert (board.read_status(RUN), board.read_statuses(), board.has_status(RUN)) == (None, ((), (RUN,)), True)
    assert board.read_history(RUN) == (), "the next one is another cluster"
    board.write_status(status())
    assert board.read_statuses()[1] == ()
    board.remove_status(RUN)
    assert not board.has_status(RUN)


def test_what_was_posted_is_kept_for_some_minutes_and_no_longer(settings):
    board, now = StatusFiles(settings), datetime.now(timezone.utc)
    board.write_status(status(state="starting"))
    kept = SampleHistory(settings.runtime_dir / "clusters")
    for second in range(2500, 0, -1):  # more than a file takes
        tasks = {"processing": 1, "queued": 2, "no-worker": 3}
        kept.add_status(RUN, status(updated=now - timedelta(seconds=second), tasks=tasks))
    past = board.read_history(RUN)
    assert [now - one.time for one in past] == [timedelta(seconds=second) for second in range(len(past), 0, -1)]
    assert timedelta(minutes=9) < now - past[0].time < timedelta(minutes=10)
    assert {(one.plan, one.observed, one.processing, one.held) for one in past} == {(2, 0, 1, 5)}
    file = next((settings.runtime_dir / "clusters").glob("*.past"))
    assert file.stat().st_size < MAX_BYTES + 1024
    file.write_text("{\n" + file.read_text().splitlines()[-1])
    assert len(board.read_history(RUN)) == 1, "a line that was cut off is left out"


def test_a_listener_hears_each_moment_once_and_first_those_before(settings):
    board = StatusFiles(settings)
    before, then, later = (status(updated=datetime.now(timezone.utc) + timedelta(seconds=n)) for n in range(3))
    board.write_status(before)
    board.write_status(then)
    following, late = UpdateReader(board), UpdateReader(board)
    assert [one.time for one in following.read_cluster(RUN)[1]] == [before.updated, then.updated]
    assert following.read_cluster(RUN) == (then, ())
    board.write_status(later)
    assert following.read_cluster(RUN) == (later, (to_moment(later),))
    assert [len(one) for one in late.read_clusters()[2].values()] == [3]
    board.write_absent(RUN)
    assert late.read_clusters() == ((), (RUN,), {})
    assert following.read_cluster(RUN) == (None, ())


def test_nobody_else_may_read(settings):
    StatusFiles(settings).write_status(status())
    folder = settings.runtime_dir / "clusters"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600, 0o600]


@pytest.mark.parametrize("run_id", ["../stack", "", "x" * 36, "*"])
def test_only_run_ids_name_a_file(settings, run_id):
    (settings.runtime_dir / "clusters").mkdir(parents=True)
    (settings.runtime_dir / "stack.json").write_text("{}")
    assert StatusFiles(settings).read_status(run_id) is None


@pytest.mark.slow
def test_what_a_killed_run_left_is_taken_away(settings):
    """Another process posts and is gone without saying goodbye."""
    program = (
        "import sys; from satflow_ext.clusters.status_files import StatusFiles; from satflow_ext.settings import Settings;"
        "from satflow_ext.models import ClusterStatus;"
        "StatusFiles(Settings()).write_status(ClusterStatus.model_validate_json(sys.argv[1])); import os; os._exit(9)"
    )
    subprocess.run(
        [sys.executable, "-c", program, status().model_dump_json()],
        env={"SATFLOW_RUNTIME_DIR": str(settings.runtime_dir)},
        check=False,
    )
    folder = settings.runtime_dir / "clusters"
    assert {file.name for file in folder.iterdir()} == {f"{RUN}.json", f"{RUN}.past"}
    assert StatusFiles(settings).read_statuses() == ((), ())
    assert list(folder.iterdir()) == []
