"""Cluster options that clients of the local stack's Dask Gateway may set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from dask_gateway_server.options import Float, Integer, Options, String

from satflow_ext.gateways import idle_timeout
from satflow_ext.settings import GIB


def cluster_options(environment: Mapping[str, str]) -> Options:
    """Return Dask Gateway's usual options, and two of SatFlow: the cluster's deployment and its flow runs' interpreter.

    Args:
        environment: environment variables of every Dask process.
    """

    def configured(options: Any) -> dict[str, Any]:
        return _to_cluster_config(options, environment)

    return Options(
        String("deployment"),
        String("python"),
        Integer("worker_cores", default=1, min=1),
        Float("worker_memory", default=1.0, min=0.05),
        Float("idle_timeout", default=600.0, min=1.0),
        handler=configured,
    )


def _to_cluster_config(options: Any, environment: Mapping[str, str]) -> dict[str, Any]:
    """Convert the options into dask-gateway's cluster configuration.

    Dask processes use the interpreter of the flow runs, so that both sides unpickle with the same packages.
    """
    python = options.python
    if not os.path.isabs(python) or not os.access(python, os.X_OK):
        raise ValueError(f"{python!r} is not the absolute path of an executable Python interpreter on this machine")
    return {
        "scheduler_cmd": [
            python,
            "-m",
            "distributed.cli.dask_scheduler",
            "--no-dashboard",
            "--preload",
            idle_timeout.MODULE,
        ],
        "worker_cmd": [
            *(python, "-m", "distributed.cli.dask_worker", "--host", "127.0.0.1", "--no-dashboard"),
            *("--death-timeout", "60"),
        ],
        "worker_cores": options.worker_cores,
        "worker_memory": int(options.worker_memory * GIB),
        "environment": {**environment, idle_timeout.IDLE_SECONDS_VARIABLE: str(options.idle_timeout)},
    }
