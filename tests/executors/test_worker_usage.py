"""What runs needed of their worker size, and which size is enough."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

from satflow_ext.cli import main
from satflow_ext.executors.worker_usage import MAX_RUNS, RunUsage, UsageStore, suggest_size
from satflow_ext.settings import GIB, Settings

DEPLOYMENT = "tiles/nightly"


def need(memory: float, *, size: str | None = "large", limit: float = 16, cores: float = 1.0) -> RunUsage:
    """A run that used so many GiB of the limit."""
    ended = datetime(2026, 11, 21, tzinfo=timezone.utc)
    return RunUsage(ended=ended, worker_size=size, limit=int(limit * GIB), memory=int(memory * GIB), cores=cores)


@pytest.fixture
def here(tmp_path) -> Settings:
    return Settings(state_dir=tmp_path)


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ([need(1.2), need(2.1), need(0.4)], "peak 2.1 of 16 GiB over 3 runs: medium is enough"),
        ([need(3.1)], "peak 3.1 of 16 GiB over 1 run"),  # in medium's 4 GiB Dask would write to disk
        ([need(15.0)], "peak 15.0 of 16 GiB over 1 run: use xlarge"),
        ([need(12.0)], "peak 12.0 of 16 GiB over 1 run"),
        ([need(1.0, cores=2.4)], "peak 1.0 of 16 GiB over 1 run: medium is enough"),
        ([need(1.0, cores=7.9)], "peak 1.0 of 16 GiB over 1 run"),  # no smaller one has the cores
        ([need(15.9), need(1.0, size="medium", limit=4)], "peak 1.0 of 4 GiB over 1 run"),  # the large one is history
        ([need(1.0, size=None, limit=11.7)], "peak 1.0 of 12 GiB over 1 run: medium is enough"),
        ([need(5.0, size="g4dn4xlarge", limit=64)], "peak 5.0 of 64 GiB over 1 run: g4dnxlarge is enough"),
        ([need(500, size="16xlarge", limit=512)], "peak 500.0 of 512 GiB over 1 run"),
    ],
)
def test_the_smallest_size_that_is_comfortable(needs, said, here):
    assert suggest_size(tuple(needs), here) == said


def test_nothing_is_said_of_what_never_ran(here):
    assert suggest_size(UsageStore(here).read_runs(DEPLOYMENT), here) is None


def test_the_last_runs_of_each_deployment_are_kept(here):
    kept = UsageStore(here)
    for memory in range(MAX_RUNS + 5):
        kept.add_run(DEPLOYMENT, need(memory))
    kept.add_run("tiles/other", need(1))
    assert [each.memory // GIB for each in kept.read_runs(DEPLOYMENT)] == list(range(5, MAX_RUNS + 5))
    assert len(kept.read_runs("tiles/other")) == 1


def test_of_runs_that_end_in_the_same_moment_none_is_lost(here):
    with ThreadPoolExecutor(MAX_RUNS) as runs:
        list(runs.map(lambda memory: UsageStore(here).add_run(DEPLOYMENT, need(memory)), range(MAX_RUNS)))
    assert {each.memory // GIB for each in UsageStore(here).read_runs(DEPLOYMENT)} == set(range(MAX_RUNS))
    assert [file.suffix for file in (here.state_dir / "needs").iterdir()] == [".jsonl"]


def test_a_file_that_is_torn_says_nothing(here):
    kept = UsageStore(here)
    kept.add_run(DEPLOYMENT, need(1))
    (file,) = (here.state_dir / "needs").iterdir()
    file.write_text('{"ended')
    assert kept.read_runs(DEPLOYMENT) == ()


def test_the_command_lists_sizes_and_what_was_needed(settings_file, tmp_path, monkeypatch, capsys):
    settings_file.write_text(
        "[worker_sizes]\nsmall = { cores = 1, memory = 0.25 }\nhuge = { cores = 8, memory = 99999 }"
    )
    monkeypatch.setenv("SATFLOW_STATE_DIR", str(tmp_path))
    UsageStore(Settings(state_dir=tmp_path)).add_run(DEPLOYMENT, need(0.1, size="huge", limit=99_999))
    assert main(["sizes", DEPLOYMENT]) == 0
    head, small, huge, _, said = capsys.readouterr().out.splitlines()
    assert "on this machine" in head
    assert small.split()[:3] == ["small", "1", "0.25"]
    assert huge.split() == ["huge", "8", "99999", "none"]
    assert said == "tiles/nightly: peak 0.1 of 99999 GiB over 1 run: small is enough."
    assert main(["sizes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(each["name"], each["available"]) for each in listed["sizes"]] == [("small", True), ("huge", False)]
    assert listed["needed"] is None
