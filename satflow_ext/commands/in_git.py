"""`satflow register FILE --storage git`: runs load the file from the commit that it stands at, in the place of a pickle."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from satflow_ext.errors import NotInGit
from satflow_ext.kernel.git import ask
from satflow_ext.models import GitFile, PackedFlow
from satflow_ext.registration.clean_load import LONGEST
from satflow_ext.registration.clean_process import ProcessStopped, run_code
from satflow_ext.runtime import from_git

LOAD = """
import pathlib, sys
from satflow_ext.models import GitFile
from satflow_ext.runtime.from_git import flow_of
flow_of(GitFile.model_validate_json(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]))
"""
PATIENCE = 60.0
"""Seconds for one question to git: without an answer nothing is registered."""


async def in_git(packed: PackedFlow, path: Path) -> PackedFlow:
    """The same flow, of which only the file's place travels.

    Args:
        packed: as it was packed.
        path: the file that defines the flow.

    Raises:
        NotInGit: a run could not load it from the repository; the message says why, and what to do.
        CommitNotFetched: the repository does not give the commit.
    """
    git = located(path)
    await _rehearse(git, packed)
    body = Path(packed.body)
    body.write_text(git.model_dump_json(), "utf-8")
    return packed.model_copy(update={"git": git, "size": body.stat().st_size})


def located(path: Path) -> GitFile:
    """Where a run finds the file.

    Raises:
        NotInGit: it is no Python file, in no repository, not committed, or not pushed.
    """
    if path.suffix != ".py":
        raise NotInGit(
            f"{path} is a notebook; git has a file to load for a .py file only.", fix="Leave out --storage git."
        )
    folder = path.resolve().parent
    root, commit = _said(folder, "rev-parse", "--show-toplevel"), _said(folder, "rev-parse", "--verify", "HEAD")
    if not root or not commit:
        raise NotInGit(
            f"{path} is in no git repository that has a commit.", fix="Leave out --storage git, or commit it."
        )
    inside = path.resolve().relative_to(Path(root).resolve()).as_posix()
    if not _said(folder, "ls-files", "--", path.name):
        raise NotInGit(f"git does not have {inside}.", fix=f"git add {inside}, commit and push.")
    if changed := _said(folder, "status", "--porcelain", "--untracked-files=no"):
        raise NotInGit(f"Not everything is committed:\n{changed}", fix="Commit and push it: a run gets what git has.")
    repository = _remote(folder, path)
    if not _said(folder, "branch", "--remotes", "--contains", commit):
        raise NotInGit(f"Commit {commit[:12]} is on no branch of {repository}.", fix="Push it: git push.")
    tree = _said(folder, "rev-parse", "--verify", "HEAD:./")
    return GitFile(repository=repository, commit=commit, path=inside, tree=tree)


def without_credentials(address: str) -> str:
    """A remote's address as others may read it: a CI job's often has a token in it."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _remote(folder: Path, path: Path) -> str:
    """The address of `origin`, or of the only remote."""
    names = _said(folder, "remote").split()
    name = "origin" if "origin" in names or len(names) != 1 else names[0]
    address = _said(folder, "remote", "get-url", name)
    if not address:
        raise NotInGit(
            f"The repository of {path} has no remote {name!r} to load from.", fix="git remote add origin ADDRESS"
        )
    return without_credentials(address)


async def _rehearse(git: GitFile, packed: PackedFlow) -> None:
    """Load the flow as a run will: from what the repository gives, by the same interpreter, in a folder with nothing else."""
    with tempfile.TemporaryDirectory(dir=Path(packed.body).parent) as folder:
        await from_git.check_out(git, Path(folder))
        words = (git.model_dump_json(), packed.flow.variable, folder)
        try:
            done = await run_code(packed.environment.executable, LOAD, *words, folder=folder, limit=LONGEST)
        except ProcessStopped as stopped:
            raise NotInGit(
                f"Importing {git.path} from commit {git.commit[:12]} did not finish: {stopped.why}.", fix=stopped.fix
            ) from None
    if done.code:
        raise NotInGit(
            f"{git.path} cannot be imported from commit {git.commit[:12]}: {done.reason}",
            fix="Commit and push all that it imports from the same folder." if done.lacks_module else None,
        )


def _said(folder: Path, *words: str) -> str:
    """What git says, empty where it has no answer."""
    return (ask(folder, *words, patience=PATIENCE) or "").strip()
