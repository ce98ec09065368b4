"""The kind of each test: a marker that tells what it starts, derived from its fixtures and its folder.

`quick` is what remains: such a test starts nothing that lives longer than a command, and takes about a second at most.
A marker in the test module overrides what is derived, where a test starts something without a fixture.
"""

from __future__ import annotations

from pathlib import Path

import pytest

KINDS = ("quick", "slow", "stack", "cluster")

STACK_FIXTURES = {"stack", "whole", "light", "store", "start_store"}
PREFECT_FIXTURES = {"other_prefect", "prefect_api"}
JUPYTER_FIXTURES = {"jp_serverapp", "jupyter_server", "kernel", "module_kernel", "start_kernel"}
TEAM_FIXTURES = {"hub", "team"}
STARTS_SERVERS = STACK_FIXTURES | PREFECT_FIXTURES | JUPYTER_FIXTURES | TEAM_FIXTURES
STARTS_CLUSTERS = {"cluster", "hosts", "slurm"}
CLUSTER_FOLDERS = {"backends", "clusters", "dask_tasks", "executors", "gateways"}
"""Where a test that uses the local stack uses a cluster as well."""


def derive_kind(fixtures: set[str], folder: str) -> str:
    """The kind of a test with these fixtures in that folder of `tests`."""
    with_servers = bool(fixtures & STARTS_SERVERS)
    if fixtures & STARTS_CLUSTERS or (with_servers and folder in CLUSTER_FOLDERS):
        return "cluster"
    return "stack" if with_servers else "quick"


def mark_kind(item: pytest.Item) -> None:
    """Mark a test with its kind, unless its module does."""
    if not any(each.name in KINDS for each in item.iter_markers()):
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        item.add_marker(derive_kind(set(item.fixturenames), folder))
