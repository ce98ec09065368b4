"""Status of persistent clusters for a single read: status files are written for the duration of a block."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from satflow_ext.clusters.persistent_clusters import Standing, as_line
from satflow_ext.clusters.status_files import Board
from satflow_ext.own_module import module_command, module_environment

COMMAND = module_command("satflow_ext.clusters.cluster_watcher")
PATIENCE = 15.0
"""Seconds for the process to start and for the schedulers to answer."""
AGAIN = 0.05
"""Seconds between two checks of the status files."""


@contextmanager
def told_of(clusters: tuple[Standing, ...], board: Board) -> Iterator[None]:
    """Write the status files of these clusters during the block, if they answer in time. Blocks.

    Clusters that another process already watches are skipped.
    """
    unknown = tuple(each for each in clusters if not board.tells(each.deployment_id))
    if not unknown:
        yield
        return
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=module_environment(), start_new_session=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(as_line(unknown) + b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + PATIENCE
        while not all(board.tells(each.deployment_id) for each in unknown) and time.monotonic() < deadline:
            time.sleep(AGAIN)
        yield
