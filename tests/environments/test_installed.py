"""The lock is told from real installations: by pip and by uv, from an index, a folder, a wheel's address, a checkout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from satflow_ext.environments import installed
from satflow_ext.environments.installed import normalize_name
from tests.environments.wheels import wheel


@pytest.fixture
def only(monkeypatch):
    """Makes one folder the whole import path, as far as distributions go."""

    def look_at(folder: Path):
        monkeypatch.setattr(sys, "path", [str(folder)])
        return {each.distribution.name: each for each in installed.list_installed()}

    return look_at


def test_everything_here_is_in_the_lock() -> None:
    environment = installed.read_environment()
    assert environment.packages.keys() == {normalize_name(each.metadata["Name"]) for each in distributions()}
    assert installed.read_versions() == environment.packages
    here = {each.name: each for each in environment.distributions}
    assert here["satflow-ext"].origin is not None
    assert here["prefect"].origin is None
    assert installed.find_distributions(["prefect", "no-such-thing"]) == {"prefect": here["prefect"]}


@pytest.mark.parametrize(("module", "name"), [("yaml", "pyyaml"), ("PIL", "pillow"), ("prefect_dask", "prefect-dask")])
def test_modules_lead_to_their_distribution(module: str, name: str) -> None:
    assert installed.find_providers([module]) == (name,)


@pytest.mark.slow
def test_pip_and_uv_leave_the_same_digest(tmp_path: Path, only) -> None:
    path = wheel(tmp_path)
    commands = {
        "pip": [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"],
        "uv": [shutil.which("uv"), "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"],
    }
    found = {}
    for name, command in commands.items():
        subprocess.run([*command, str(tmp_path / name), str(path)], check=True, capture_output=True)
        found[name] = only(tmp_path / name)["tiny"]
    assert found["pip"].distribution.files == found["uv"].distribution.files
    assert found["pip"].modules >= {"tiny"}
    origin = found["uv"].distribution.origin
    assert origin is not None
    assert origin.url == path.as_uri()


def test_other_files_are_another_digest(tmp_path: Path, only) -> None:
    digests = set()
    for number, row in enumerate(["a.py,sha256=aaa,1", "a.py,sha256=bbb,1"]):
        info = tmp_path / str(number) / "a-1.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text(row)
        digests.add(only(info.parent)["a"].distribution.files)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {
                "url": "https://me:hunter2@git.example/x",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
                "subdirectory": "py",
            },
            ("https://git.example/x", "git", "abc", "py", None, False),
        ),
        (
            {"url": "https://files.example/x.whl", "archive_info": {"hashes": {"sha256": "12"}}},
            ("https://files.example/x.whl", None, None, None, "12", False),
        ),
        (
            {"url": "https://files.example/x.whl", "archive_info": {"hash": "sha256=34"}},
            ("https://files.example/x.whl", None, None, None, "34", False),
        ),
        (
            {"url": "file:///home/me/x", "dir_info": {"editable": True}},
            ("file:///home/me/x", None, None, None, None, True),
        ),
        (["not", "what", "PEP 610", "says"], None),
    ],
)
def test_where_it_came_from(tmp_path: Path, only, said: object, expected: tuple[object, ...] | None) -> None:
    info = tmp_path / "x-1.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(json.dumps(said))
    origin = only(tmp_path)["x"].distribution.origin
    assert (tuple(origin.model_dump().values()) if origin else None) == expected


def test_without_a_record_the_metadata_counts(tmp_path: Path, only) -> None:
    (tmp_path / "old-1.0-py3.11.egg-info").write_text("Name: old")
    (tmp_path / "older-2.egg-info").mkdir()
    (tmp_path / "older-2.egg-info" / "top_level.txt").write_text("elder\n")
    found = only(tmp_path)
    assert (found["old"].distribution.version, found["older"].modules) == ("1.0", {"elder"})
    assert found["old"].distribution.files != found["older"].distribution.files
