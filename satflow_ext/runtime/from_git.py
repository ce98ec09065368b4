"""Flows in a git repository: the commit is checked out into the run's folder, and the file is imported from there.

The signed manifest contains the repository and the commit; a commit's id is a digest of its content.
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

CHECKOUT = "satflow_code"
"""Name of the checkout in the run's folder."""


async def check_out(git: GitFile, folder: Path) -> None:
    """Check out the commit, with the credentials that git finds on this machine.

    Raises:
        CommitNotFetched: git cannot fetch it.
    """
    from prefect.runner.storage import GitRepository

    repository = GitRepository(git.repository, commit_sha=git.commit, name=CHECKOUT)
    repository.set_base_path(folder)
    try:
        await repository.pull_code()
    except Exception as error:  # Prefect raises any exception of its helpers
        raise CommitNotFetched(
            f"Commit {git.commit[:12]} of {git.repository} was not fetched: {error}",
            fix="Check that the commit was pushed, and that git can read the repository on the Prefect worker's machine.",
        ) from None


def import_flow(git: GitFile, variable: str, folder: Path) -> Flow[..., Any]:
    """Import the flow. Modules from the checkout are pickled by value for Dask workers and other processes.

    Args:
        git: the file.
        variable: the flow's variable in the file.
        folder: the run's folder.

    Raises:
        ContentRefused: the file has no flow of that name, or another module has the file's name.
    """
    from prefect import Flow

    checkout = (folder / CHECKOUT).resolve()
    file = checkout / git.path
    sys.path.insert(0, str(file.parent))
    module = importlib.import_module(file.stem)
    if module.__file__ != str(file):
        raise ContentRefused(f"Another module has the name {file.stem}: {module.__file__}.", fix="Rename the file.")
    flow = getattr(module, variable, None)
    if not isinstance(flow, Flow):
        raise ContentRefused(
            f"{git.path} has no flow {variable} in commit {git.commit[:12]}.", fix="Register it again."
        )
    _pickle_by_value(checkout)
    return flow


def _pickle_by_value(checkout: Path) -> None:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(checkout):
            cloudpickle.register_pickle_by_value(module)
