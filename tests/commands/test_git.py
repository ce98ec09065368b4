"""`satflow register FILE --storage git`: what a run loads is what was committed and pushed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from satflow_ext import cli
from satflow_ext.commands.register import locate_in_git, without_credentials
from satflow_ext.errors import CommitNotFetched, NotInGit
from satflow_ext.models import GitFile
from satflow_ext.runtime import from_git
from tests.satflow_command import satflow

FLOWS = """
from helpers.words import greeting
from prefect import flow, get_run_logger, task

@task
def greet(name):
    return f"{greeting} {name}"

@flow
def greets(name: str = "world"):
    get_run_logger().info(" and ".join(greet.map([name, "stars"]).result()))
"""


class Checkout:
    """A clone, of which everything is committed and pushed.

    Args:
        folder: the clone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flows = folder / "jobs" / "flows.py"
        self.words = folder / "jobs" / "helpers" / "words.py"

    def git(self, *words: str) -> str:
        user = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")
        command = ["git", *user, *words]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def publish(self) -> str:
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "A change")
        self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path):
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "repository.git"], check=True)
    subprocess.run(["git", "clone", "--quiet", tmp_path / "repository.git", tmp_path / "clone"], check=True)
    made = Checkout(tmp_path / "clone")
    made.words.parent.mkdir(parents=True)
    (made.words.parent / "__init__.py").touch()
    made.words.write_text('greeting = "hello"\n')
    made.flows.write_text(FLOWS)
    made.publish()
    return made


@pytest.mark.usefixtures("stack")
def test_runs_what_was_committed_with_the_clone_gone(checkout):
    name = f"git-{uuid4().hex[:8]}"
    words = ("register", f"{checkout.flows}:greets", "--storage", "git", "--executor", "processes", "--name", name)
    first = satflow(*words)
    assert f"greets/{name}: created, version 1" in first.stdout, first.stderr

    (checkout.folder / "README.md").write_text("nothing that a run imports")
    checkout.publish()
    assert f"greets/{name}: unchanged, version 1" in satflow(*words).stdout

    checkout.words.write_text('greeting = "good night"\n')
    checkout.publish()
    assert f"greets/{name}: changed, version 2" in satflow(*words).stdout

    shutil.rmtree(checkout.folder)
    ran = satflow("run", name, "--param", "name=moon", "--follow")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "good night moon and good night stars" in ran.stdout


def test_what_is_not_committed_is_refused(checkout, capsys):
    checkout.words.write_text('greeting = "not yet"\n')
    assert cli.main(["register", str(checkout.flows), "--storage", "git"]) == 1
    said = capsys.readouterr().err
    assert "has uncommitted changes" in said
    assert "jobs/helpers/words.py" in said


@pytest.mark.usefixtures("stack")
def test_a_module_that_git_does_not_have_is_refused(checkout):
    (checkout.flows.parent / "late.py").write_text("greeting = 'late'\n")
    checkout.flows.write_text(FLOWS.replace("helpers.words", "late"))
    checkout.git("commit", "--quiet", "--all", "--message", "Half of it")
    checkout.git("push", "--quiet", "origin", "HEAD")
    done = satflow("register", checkout.flows, "--storage", "git")
    assert done.returncode == 1
    assert "jobs/flows.py cannot be imported from commit" in done.stderr
    assert "No module named 'late'" in done.stderr


def test_a_commit_that_is_nowhere_else_is_refused(checkout):
    checkout.words.write_text('greeting = "mine"\n')
    checkout.git("commit", "--quiet", "--all", "--message", "Not pushed")
    with pytest.raises(NotInGit, match=r"is not on any branch of .*repository\.git"):
        locate_in_git(checkout.flows)


def test_files_that_git_cannot_give_are_refused(checkout, tmp_path):
    notebook = checkout.folder / "flows.ipynb"
    with pytest.raises(NotInGit, match=r"is not a \.py file"):
        locate_in_git(notebook)
    new = checkout.folder / "new.py"
    new.touch()
    with pytest.raises(NotInGit, match=r"git does not track new\.py"):
        locate_in_git(new)
    outside = tmp_path / "flows.py"
    outside.touch()
    with pytest.raises(NotInGit, match="is not in a git repository"):
        locate_in_git(outside)
    checkout.git("remote", "remove", "origin")
    with pytest.raises(NotInGit, match="has no remote 'origin'"):
        locate_in_git(checkout.flows)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://x-access-token:planted@example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://planted@example.org:8443/b", "https://example.org:8443/b"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("ssh://git@example.org/a/b.git", "ssh://git@example.org/a/b.git"),
    ],
)
def test_no_token_of_a_remote_travels(address, told):
    assert without_credentials(address) == told


def test_a_commit_that_cannot_be_fetched_says_why(checkout, tmp_path):
    git = locate_in_git(checkout.flows)
    gone = GitFile.model_validate({**git.model_dump(), "repository": str(tmp_path / "nowhere.git")})
    with pytest.raises(CommitNotFetched, match=r"of .*nowhere\.git was not fetched: .*does not exist"):
        asyncio.run(from_git.check_out(gone, tmp_path))
    other = GitFile.model_validate({**git.model_dump(), "commit": "0" * 40})
    with pytest.raises(CommitNotFetched, match="Commit 000000000000"):
        asyncio.run(from_git.check_out(other, tmp_path))
