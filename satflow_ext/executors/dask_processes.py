"""Dask workers on this machine as forks of a template process, which has imported what they need.

`distributed` sets environment variables before it starts Dask workers, such as `OMP_NUM_THREADS`, which libraries read when they
are imported. A cluster of a flow run records them for the Prefect worker, which starts a template with them.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from satflow_ext import atomic_files
from satflow_ext.fork_requests import child_process
from satflow_ext.fork_requests.preloaded_packages import DAY, RECENT, is_younger
from satflow_ext.settings import Settings, load_settings

if TYPE_CHECKING:
    from distributed import LocalCluster

METHOD = "distributed.worker.multiprocessing-method"
"""Dask's setting that names the way in which Dask workers are started."""

VARIABLES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


def fork_dask_workers() -> None:
    """Fork the template for Dask workers from now on, unless the user's Dask configuration sets how they are started."""
    import dask

    if dask.config.get(METHOD, None, config=dask.config.collect()) is None:
        child_process.fork_spawned_processes(child_process.DASK_SOCKET)


def record_variables(cluster: LocalCluster) -> None:
    """Record the environment variables of Dask workers for the Prefect worker, if it has templates."""
    variables = next((getattr(nanny, "pre_spawn_env", None) for nanny in cluster.workers.values()), None)
    if variables is None or not child_process.has_templates():
        return
    file = variables_file(load_settings())
    with suppress(OSError):  # Dask workers of later runs start more slowly
        if read_variables(file, DAY) != variables:
            atomic_files.write_atomically(file, VARIABLES.dump_json(variables))


def recent_variables(settings: Settings) -> dict[str, str] | None:
    """Return the recorded variables, or None if no flow run of this machine has started a cluster recently."""
    return read_variables(variables_file(settings), RECENT)


def read_variables(file: Path, max_age: float) -> dict[str, str] | None:
    """Return the variables in a file.

    Args:
        file: path of the file.
        max_age: seconds; an older file counts as missing.
    """
    if not is_younger(file, max_age):
        return None
    try:
        return VARIABLES.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def variables_file(settings: Settings) -> Path:
    """Return the path of the file with the recorded variables."""
    return settings.state_dir / "dask-variables.json"
