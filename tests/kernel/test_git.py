"""What is said of a folder's git commit, told from real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from satflow_ext.git import find_commit
from satflow_ext.models import Commit
from tests.git_command import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, one file in it and one folder."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "flows.py").write_text("x = 1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "flows.py")
    git(tmp_path, "commit", "--quiet", "--message=first")
    return tmp_path


def test_clean(repository: Path) -> None:
    assert find_commit(repository) == Commit(id=git(repository, "rev-parse", "HEAD"), dirty=False)


def test_dirty_where_a_file_was_changed_anywhere_in_it(repository: Path) -> None:
    (repository / "flows.py").write_text("x = 2\n")
    assert find_commit(repository / "notebooks") == Commit(id=git(repository, "rev-parse", "HEAD"), dirty=True)


def test_a_file_that_git_does_not_know_makes_nothing_dirty(repository: Path) -> None:
    (repository / "notes.txt").write_text("x")
    assert find_commit(repository).dirty is False


def test_a_commit_without_a_branch(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert find_commit(repository) == Commit(id=git(repository, "rev-parse", "HEAD"), dirty=False)


def test_status_that_cannot_be_told_leaves_the_commit(repository: Path) -> None:
    (repository / ".git" / "index").write_bytes(b"no index")
    assert find_commit(repository) == Commit(id=git(repository, "rev-parse", "HEAD"), dirty=None)


def test_no_commit_yet(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert find_commit(tmp_path) is None


def test_no_repository(tmp_path: Path) -> None:
    assert find_commit(tmp_path) is None
