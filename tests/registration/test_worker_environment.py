"""An interpreter that stands for the one of the Prefect workers elsewhere: what it lacks is told before registering."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from prefect import flow

from satflow_ext.kernel.preflight import create_report
from satflow_ext.models import Preflight, Registration
from satflow_ext.registration.preflight import add_clean_load
from satflow_ext.settings import Settings

TABLE = np.arange(3)


@flow
def sums():
    return int(TABLE.sum())


@pytest.fixture(scope="module")
def without_numpy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with everything that this one has, but numpy."""
    place = tmp_path_factory.mktemp("there") / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    (packages,) = place.glob("lib/python*/site-packages")
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith("numpy"):
            (packages / each.name).symlink_to(each)
    return place / "bin" / "python"


@pytest.fixture
def report() -> Preflight:
    return create_report(sums, namespace={"sums": sums}, limit=1_000_000)


@pytest.fixture
def elsewhere(without_numpy) -> Settings:
    return Settings(prefect_api_url="https://prefect.example/api", runs_python=without_numpy)


@pytest.fixture
def checked(report, packed):
    """The whole report, with the rehearsal; `made` changes what is said of the Python that packed."""

    def check(settings: Settings, environment: str = "warn", **made: str) -> Preflight:
        flow_packed = packed(sums)
        lock = flow_packed.environment.model_copy(update=made)
        changed = flow_packed.model_copy(update={"environment": lock})
        return asyncio.run(add_clean_load(report, changed, Registration(environment=environment), settings))

    return check


@pytest.mark.slow
def test_what_is_lacking_is_named_and_loading_fails_there(checked, elsewhere):
    load, package = checked(elsewhere).findings
    assert (package.kind, package.level, package.where) == ("package", "warning", "numpy")
    assert (load.kind, load.level) == ("load", "error")
    assert "No module named 'numpy'" in load.message


def test_another_python_is_told_and_never_tried(checked, elsewhere):
    found = checked(elsewhere, python="3.99.1", magic="ffff0d0a")
    assert found.findings[0].kind == "python"
    assert found.findings[0].message.startswith("was packed by CPython 3.99.1; runs use CPython 3.")
    assert (found.has_errors, found.rehearsed) == (True, None)


@pytest.mark.slow
def test_its_own_environment_is_good(checked, elsewhere):
    found = checked(elsewhere.model_copy(update={"runs_python": Path(sys.executable)}))
    assert found.findings == ()
    assert found.rehearsed is not None


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/true"])
def test_no_python_at_all(checked, elsewhere, python):
    (finding,) = checked(elsewhere.model_copy(update={"runs_python": Path(python)})).findings
    assert (finding.where, finding.message) == ("runs_python", f"{python} is not a working Python interpreter")


@pytest.mark.slow
def test_where_the_kernels_own_counts_it_is_not_asked(checked, elsewhere):
    local = elsewhere.model_copy(update={"prefect_api_url": None})
    assert checked(local).findings == ()
    assert checked(elsewhere, "recreate").findings == ()
