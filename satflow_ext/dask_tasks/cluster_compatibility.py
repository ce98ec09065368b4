"""Check the packages of a Dask cluster, and whether Prefect tasks can run on it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import version
from logging import Logger
from typing import TYPE_CHECKING, cast

from satflow_ext.dask_tasks.prefect_from_there import require_prefect_access
from satflow_ext.errors import DaskClusterUnfit, PythonMismatch

if TYPE_CHECKING:
    from distributed import Client
    from distributed.client import VersionsDict

PACKAGE = "satflow-ext"

Versions = Mapping[str, str | None]
"""Package → version in one process; None if the package is not installed."""


def is_compatible(dask_client: Client, logger: Logger) -> bool:
    """Return whether every connected Dask worker has the same version of SatFlow as this process.

    If not, tasks run as with Prefect's own task runner. Workers that join later are assumed to match the scheduler.

    Raises:
        PythonMismatch: the cluster runs another Python version, which cannot read the pickled tasks.
        DaskClusterUnfit: the cluster has no Prefect, has another release of distributed, or cannot reach the Prefect API.
    """
    found = cast("VersionsDict", dask_client.get_versions(packages=[PACKAGE, "prefect"]))
    versions_by_process = {"scheduler": found["scheduler"], **found["workers"]}
    installed = {name: each["packages"] for name, each in versions_by_process.items() if isinstance(each, Mapping)}
    if not check_packages(installed, dask_client.scheduler_info()["address"], logger):
        return False
    require_prefect_access(dask_client)
    return True


def check_packages(installed: Mapping[str, Versions], address: str, logger: Logger) -> bool:
    """Decide from the installed packages of each process of the cluster, by name, as `fits` does."""
    for name, versions in installed.items():
        _check_python(name, versions["python"] or "", address)
        _check_distributed(name, versions.get("distributed"), address)
    own_version = version(PACKAGE)
    other = {name: versions[PACKAGE] for name, versions in installed.items() if versions[PACKAGE] != own_version}
    if not other:
        _check_prefect({name: each for name, each in installed.items() if name != "scheduler"}, address)
        return True
    _check_prefect(installed, address)
    name, found = next(iter(other.items()))
    logger.warning(
        "Tasks on the Dask cluster at %s run slower than necessary: its %s has %s. Install satflow-ext==%s there.",
        address,
        name,
        f"satflow-ext {found}" if found else "no satflow-ext",
        own_version,
    )
    return False


def _check_python(name: str, python: str, address: str) -> None:
    cluster_version, own_version = python.split(".")[:2], [str(part) for part in sys.version_info[:2]]
    if cluster_version != own_version:
        raise PythonMismatch(
            f"The Dask cluster at {address} runs Python {'.'.join(cluster_version)} ({name}), "
            f"this flow run Python {'.'.join(own_version)}.",
            fix="Use a cluster with this Python version, or register from a kernel with the cluster's version.",
        )


def _check_distributed(name: str, cluster_version: str | None, address: str) -> None:
    """Refuse another release of distributed. Dask's parts need the same release, but the patch versions may differ."""
    own_version = version("distributed")
    if cluster_version and cluster_version.split(".")[:2] != own_version.split(".")[:2]:
        raise DaskClusterUnfit(
            f"The Dask cluster at {address} has distributed {cluster_version} ({name}), this flow run distributed {own_version}.",
            fix="Use a cluster with this release, or register from an environment with the cluster's release.",
        )


def _check_prefect(installed: Mapping[str, Versions], address: str) -> None:
    lacking = [name for name, versions in installed.items() if not versions["prefect"]]
    if lacking:
        raise DaskClusterUnfit(
            f"The Dask cluster at {address} has no Prefect ({lacking[0]}), so tasks cannot run there.",
            fix=f"Install prefect=={version('prefect')} and satflow-ext=={version(PACKAGE)} on its workers and its scheduler.",
        )
