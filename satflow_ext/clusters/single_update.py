"""Status of persistent clusters for a single read: status files are written for the duration of a block."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from satflow_ext.clusters.persistent_clusters import PersistentCluster, to_json_line
from satflow_ext.clusters.status_files import StatusFiles
from satflow_ext.own_module import build_module_command, build_module_environment

COMMAND = build_module_command("satflow_ext.clusters.cluster_watcher")
UPDATE_TIMEOUT = 15.0
"""Seconds for the process to start and for the schedulers to answer."""
CHECK_PERIOD = 0.05
"""Seconds between two checks of the status files."""


@contextmanager
def update_status_files(clusters: tuple[PersistentCluster, ...], status_files: StatusFiles) -> Iterator[None]:
    """Write the status files of these clusters during the block, if they answer in time. Blocks.

    Clusters that another process already watches are skipped.
    """
    unknown = tuple(each for each in clusters if not status_files.has_status(each.deployment_id))
    if not unknown:
        yield
        return
    with subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=build_module_environment(),
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(to_json_line(unknown) + b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + UPDATE_TIMEOUT
        while not all(status_files.has_status(each.deployment_id) for each in unknown) and time.monotonic() < deadline:
            time.sleep(CHECK_PERIOD)
        yield
