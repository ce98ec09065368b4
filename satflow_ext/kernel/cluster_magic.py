"""The `%dask_cluster` magic."""

from __future__ import annotations

import sys

from satflow_ext import cluster_commands
from satflow_ext.choices import LineParser, split_line
from satflow_ext.errors import SatflowError
from satflow_ext.kernel.kernel_session import open_session, run_coroutine
from satflow_ext.settings import load_settings


def dask_cluster(line: str) -> None:
    """Execute a line of the magic. Report an error as one message, without a traceback."""
    parser = LineParser(
        prog="%dask_cluster",
        description="Start, resize and stop the cluster that the runs of a deployment share, before and between runs.",
        add_help=False,
    )
    cluster_commands.add_cluster_commands(parser)
    words = line.split()
    if not words or {"-h", "--help"} & set(words):
        sys.stdout.write(parser.format_help())
        return
    try:
        args = parser.parse_args(split_line(line))
        done = run_coroutine(cluster_commands.run_command(args, open_session(load_settings())))
        sys.stdout.write(f"{cluster_commands.format_clusters(done)}\n")
    except SatflowError as error:
        sys.stderr.write(f"{error}\n")
