"""Clusters that nobody can have: what is chosen, and what is told before anything is registered, whichever way it is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Bad:
    """A choice of an executor, the error's name, the field that it stands in, and how its message begins."""

    error: str
    field: str
    said: str
    executor: str = "dask-cluster"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def flags(self) -> list[str]:
        """The same for a command line."""
        pairs = [(f"--{name.replace('_', '-')}", _text(value)) for name, value in self.options.items()]
        return ["--executor", self.executor, *(word for pair in pairs for word in pair)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _option(name: str) -> str:
    return f"executor.options.{name}"


SSH = {"backend": "ssh", "backend_options": {"hosts": "node1"}}
BAD = {
    "executor": Bad("UnknownExecutor", "executor.name", "No executor is called 'dask-clutser'.", "dask-clutser"),
    "option": Bad(
        "InvalidExecutorOption",
        _option("wokers"),
        "The executor 'dask-cluster' has no option 'wokers'. Did you mean 'n_workers'?",
        options={"wokers": 2},
    ),
    "back end": Bad(
        "UnknownBackEnd",
        _option("backend"),
        "No cluster provider is called 'slrum'. Did you mean 'slurm'?",
        options={"backend": "slrum"},
    ),
    "class": Bad(
        "UnknownBackEnd",
        _option("backend"),
        "The cluster provider nowhere:Cluster cannot be imported: ModuleNotFoundError",
        options={"backend": "nowhere:Cluster"},
    ),
    "hosts": Bad(
        "InvalidExecutorOption",
        _option("backend_options"),
        "The options of ssh are invalid: hosts: it must be a list.",
        options=SSH,
    ),
    "gateway": Bad(
        "SettingsWrong",
        _option("gateway"),
        "No Dask Gateway is called 'nope' in the settings.",
        options={"gateway": "nope"},
    ),
    "no workers": Bad(
        "InvalidExecutorOption",
        _option("n_workers"),
        "The option 'n_workers' of executor 'dask-cluster' is invalid: it must be at least 1.",
        options={"n_workers": 0},
    ),
    "more than the maximum": Bad(
        "InvalidExecutorOption",
        _option("maximum"),
        "The option 'maximum' of executor 'dask-cluster' is invalid: it is less than the minimum of 3.",
        options={"minimum": 3, "maximum": 2},
    ),
    "size": Bad(
        "SizeRefused",
        _option("worker_size"),
        "2 workers of size '16xlarge' need 1024 GiB of memory; this machine has",
        options={"worker_size": "16xlarge"},
    ),
    "address": Bad(
        "InvalidExecutorOption",
        _option("address"),
        "The option 'address' of executor 'dask-address' is invalid: it does not have the required format. Example: tcp://",
        "dask-address",
        {"address": "scheduler"},
    ),
}
