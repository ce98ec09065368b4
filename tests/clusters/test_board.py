"""The board: private, replaced whole, and rid of what a killed flow run left behind."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import datetime, timezone

import pytest

from satflow_ext.clusters.board import Board
from satflow_ext.models import ClusterStatus
from satflow_ext.settings import Settings

RUN = "3f0a6a5e-6c1b-4c55-9c53-0b6f3a1d2e4f"


@pytest.fixture
def settings(tmp_path):
    return Settings(runtime_dir=tmp_path / "run", state_dir=tmp_path)


def status(run_id=RUN, state="running"):
    now = datetime.now(timezone.utc)
    return ClusterStatus(
        run_id=run_id,
        run_name="brisk-otter",
        deployment_id=None,
        deployment_name="tiles",
        executor="dask-local",
        state=state,
        problem=None,
        plan=2,
        requested=None,
        observed=0,
        pending=None,
        worker_size=None,
        tasks={},
        workers=(),
        events=(),
        dashboard=None,
        started=now,
        updated=now,
    )


def test_what_was_posted_is_read(settings):
    board = Board(settings)
    posted = status()
    board.post(posted)
    assert board.read(RUN) == posted
    assert board.read_all() == (posted,)


def test_empty_board(settings):
    assert Board(settings).read(RUN) is None
    assert Board(settings).read_all() == ()


def test_later_post_takes_the_place_of_the_earlier(settings):
    board = Board(settings)
    board.post(status(state="starting"))
    board.post(status(state="running"))
    assert [s.state for s in board.read_all()] == ["running"]


def test_removed_is_gone_and_removing_twice_is_fine(settings):
    board = Board(settings)
    board.post(status())
    board.remove(RUN)
    board.remove(RUN)
    assert board.read(RUN) is None


def test_nobody_else_may_read(settings):
    Board(settings).post(status())
    folder = settings.runtime_dir / "clusters"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("run_id", ["../stack", "", "x" * 36, "*"])
def test_only_run_ids_name_a_file(settings, run_id):
    (settings.runtime_dir / "clusters").mkdir(parents=True)
    (settings.runtime_dir / "stack.json").write_text("{}")
    assert Board(settings).read(run_id) is None


def test_what_a_killed_run_left_is_taken_away(settings):
    """Another process posts and is gone without saying goodbye."""
    program = (
        "import sys; from satflow_ext.clusters.board import Board; from satflow_ext.settings import Settings;"
        "from satflow_ext.models import ClusterStatus;"
        "Board(Settings()).post(ClusterStatus.model_validate_json(sys.argv[1])); import os; os._exit(9)"
    )
    subprocess.run(
        [sys.executable, "-c", program, status().model_dump_json()],
        env={"SATFLOW_RUNTIME_DIR": str(settings.runtime_dir)},
        check=False,
    )
    folder = settings.runtime_dir / "clusters"
    assert [file.name for file in folder.iterdir()] == [f"{RUN}.json"]
    assert Board(settings).read_all() == ()
    assert list(folder.iterdir()) == []
