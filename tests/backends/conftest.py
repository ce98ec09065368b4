"""A SLURM and hosts of this test run's own."""

from __future__ import annotations

import pytest

from tests.backends import slurm_here, ssh_here


@pytest.fixture(scope="module")
def slurm(house):
    """Two virtual nodes: n1 with two cores and 2 GiB, n2 with one core, 1 GiB and a GPU."""
    with slurm_here.running(house / "slurm") as folder:
        yield folder


@pytest.fixture(scope="module")
def hosts(house):
    """Two hosts with SSH servers."""
    with ssh_here.running(house / "ssh") as hosts:
        yield hosts
