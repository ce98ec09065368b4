"""`satflow register FILE --storage git`: flow runs load the file from its git commit instead of unpickling a flow."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from satflow_ext.errors import NotInGit
from satflow_ext.git import run_git
from satflow_ext.models import GitFile, PackedFlow
from satflow_ext.registration.clean_process import MAX_LOAD_SECONDS, ProcessStopped, run_code
from satflow_ext.runtime import from_git

LOAD_CODE = """
import pathlib, sys
from satflow_ext.models import GitFile
from satflow_ext.runtime.from_git import import_flow
import_flow(GitFile.model_validate_json(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]))
"""
GIT_TIMEOUT = 60.0
"""Seconds to wait for one git command: without an answer, nothing is registered."""


async def reference_git_file(packed: PackedFlow, path: Path) -> PackedFlow:
    """Replace the pickled flow in the content by a reference to its file in git.

    Args:
        packed: the packed flow.
        path: the file that defines the flow.

    Raises:
        NotInGit: a run could not load it from the repository; the message contains the reason and the fix.
        CommitNotFetched: the commit cannot be fetched from the repository.
    """
    git = locate_in_git(path)
    await _test_load(git, packed)
    body = Path(packed.body)
    body.write_text(git.model_dump_json(), "utf-8")
    return packed.model_copy(update={"git": git, "size": body.stat().st_size})


def locate_in_git(path: Path) -> GitFile:
    """Return the repository, commit and path from which a run loads the file.

    Raises:
        NotInGit: it is not a Python file, not in a repository, not committed, or not pushed.
    """
    if path.suffix != ".py":
        raise NotInGit(
            f"{path} is not a .py file, and --storage git works only with .py files.", fix="Leave out --storage git."
        )
    folder = path.resolve().parent
    root, commit = _run_git(folder, "rev-parse", "--show-toplevel"), _run_git(folder, "rev-parse", "--verify", "HEAD")
    if not root or not commit:
        raise NotInGit(
            f"{path} is not in a git repository that has a commit.", fix="Leave out --storage git, or commit it."
        )
    inside = path.resolve().relative_to(Path(root).resolve()).as_posix()
    if not _run_git(folder, "ls-files", "--", path.name):
        raise NotInGit(f"git does not track {inside}.", fix=f"git add {inside}, commit and push.")
    if changed := _run_git(folder, "status", "--porcelain", "--untracked-files=no"):
        raise NotInGit(
            f"The repository of {path} has uncommitted changes:\n{changed}",
            fix="Commit and push them: a run loads only what is in the repository.",
        )
    repository = _remote_address(folder, path)
    if not _run_git(folder, "branch", "--remotes", "--contains", commit):
        raise NotInGit(f"Commit {commit[:12]} is not on any branch of {repository}.", fix="Push it: git push.")
    tree = _run_git(folder, "rev-parse", "--verify", "HEAD:./")
    return GitFile(repository=repository, commit=commit, path=inside, tree=tree)


def without_credentials(address: str) -> str:
    """Return a remote's address without credentials: in a CI job it often contains a token."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _remote_address(folder: Path, path: Path) -> str:
    """Return the address of `origin`, or of the only remote."""
    names = _run_git(folder, "remote").split()
    name = "origin" if "origin" in names or len(names) != 1 else names[0]
    address = _run_git(folder, "remote", "get-url", name)
    if not address:
        raise NotInGit(
            f"The repository of {path} has no remote {name!r} to load from.", fix="git remote add origin ADDRESS"
        )
    return without_credentials(address)


async def _test_load(git: GitFile, packed: PackedFlow) -> None:
    """Load the flow as a run does: from a checkout in an empty folder, with the same interpreter."""
    with tempfile.TemporaryDirectory(dir=Path(packed.body).parent) as folder:
        await from_git.check_out(git, Path(folder))
        words = (git.model_dump_json(), packed.flow.variable, folder)
        try:
            done = await run_code(
                packed.environment.executable, LOAD_CODE, *words, folder=folder, limit=MAX_LOAD_SECONDS
            )
        except ProcessStopped as stopped:
            raise NotInGit(
                f"Importing {git.path} from commit {git.commit[:12]} did not finish: {stopped.reason}.", fix=stopped.fix
            ) from None
    if done.code:
        raise NotInGit(
            f"{git.path} cannot be imported from commit {git.commit[:12]}: {done.reason}",
            fix="Commit and push all modules that it imports from the same folder." if done.lacks_module else None,
        )


def _run_git(folder: Path, *words: str) -> str:
    """Run git and return its output; an empty string if it fails."""
    return (run_git(folder, *words, timeout=GIT_TIMEOUT) or "").strip()
