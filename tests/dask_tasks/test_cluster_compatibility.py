"""What a cluster says that it has, and what follows from it."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version

import pytest

from satflow_ext.dask_tasks.runner import PACKAGE, check_packages
from satflow_ext.errors import DaskClusterUnfit, PythonMismatch

HERE = {"python": ".".join(map(str, sys.version_info)), PACKAGE: version(PACKAGE), "prefect": version("prefect")}
LOG = logging.getLogger("test-there")


def cluster(**different):
    return {"scheduler": HERE, "tcp://10.0.0.7:1": HERE, "tcp://10.0.0.8:1": {**HERE, **different}}


@pytest.mark.parametrize(
    "installed", [cluster(), {"scheduler": HERE}, {**cluster(), "scheduler": {**HERE, "prefect": None}}]
)
def test_a_cluster_that_has_it_is_fast(installed, caplog):
    assert check_packages(installed, "tcp://s:1", LOG)
    assert not caplog.records


@pytest.mark.parametrize(("found", "words"), [(None, "has no satflow-ext"), ("0.0.1", "has satflow-ext 0.0.1")])
def test_a_cluster_that_lacks_it_is_said_to(found, words, caplog):
    assert not check_packages(cluster(**{PACKAGE: found}), "tcp://s:1", LOG)
    (record,) = caplog.records
    assert f"its tcp://10.0.0.8:1 {words}. Install {PACKAGE}=={version(PACKAGE)} there." in record.getMessage()


def test_another_python_is_refused():
    with pytest.raises(PythonMismatch, match=r"at tcp://s:1 runs Python 3\.8 \(tcp://10\.0\.0\.8:1\), this flow run"):
        check_packages(cluster(python="3.8.1.final.0"), "tcp://s:1", LOG)


def test_another_release_of_dask_is_refused_and_a_patch_is_not():
    ours = version("distributed")
    assert check_packages(cluster(distributed=f"{ours}.1"), "tcp://s:1", LOG)
    with pytest.raises(
        DaskClusterUnfit, match=rf"distributed 2020\.1\.0 \(tcp://10\.0\.0\.8:1\), this flow run .*{ours}"
    ):
        check_packages(cluster(distributed="2020.1.0"), "tcp://s:1", LOG)


def test_a_cluster_without_prefect_is_refused():
    with pytest.raises(DaskClusterUnfit, match=r"no Prefect \(tcp://10\.0\.0\.8:1\).*Install prefect=="):
        check_packages(cluster(prefect=None), "tcp://s:1", LOG)
