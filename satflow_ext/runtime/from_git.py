"""A flow whose code is in a git repository: the commit is checked out into the run's folder, and the file imported from there.

The manifest names repository and commit, and is signed: a commit's name is a digest of all that it holds.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle

from satflow_ext.errors import CommitNotFetched, ContentRefused
from satflow_ext.models import GitFile

if TYPE_CHECKING:
    from prefect import Flow

CODE = "satflow_code"
"""The checkout's folder in that of the run."""


async def check_out(git: GitFile, folder: Path) -> None:
    """Bring the commit here, with the credentials that git finds on this machine.

    Raises:
        CommitNotFetched: git cannot get it.
    """
    from prefect.runner.storage import GitRepository

    repository = GitRepository(git.repository, commit_sha=git.commit, name=CODE)
    repository.set_base_path(folder)
    try:
        await repository.pull_code()
    except Exception as error:  # Prefect raises whatever its helpers do
        raise CommitNotFetched(
            f"Commit {git.commit[:12]} of {git.repository} was not fetched: {error}",
            fix="See that the commit was pushed, and that git can read the repository on the machine of the Prefect worker.",
        ) from None


def flow_of(git: GitFile, variable: str, folder: Path) -> Flow[..., Any]:
    """The flow of the file. What it imports from beside it travels by value, to Dask workers and other processes.

    Args:
        git: the file.
        variable: the flow's name in it.
        folder: the run's.

    Raises:
        ContentRefused: the file has no flow of that name, or another module is called as it is.
    """
    from prefect import Flow

    checkout = (folder / CODE).resolve()
    file = checkout / git.path
    sys.path.insert(0, str(file.parent))
    module = importlib.import_module(file.stem)
    if module.__file__ != str(file):
        raise ContentRefused(
            f"Another module is called {file.stem} as well: {module.__file__}.", fix="Rename the file."
        )
    flow = getattr(module, variable, None)
    if not isinstance(flow, Flow):
        raise ContentRefused(
            f"{git.path} has no flow {variable} in commit {git.commit[:12]}.", fix="Register it again."
        )
    _send_by_value(checkout)
    return flow


def _send_by_value(checkout: Path) -> None:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(checkout):
            cloudpickle.register_pickle_by_value(module)
