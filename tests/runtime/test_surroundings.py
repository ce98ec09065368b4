"""What the registration's policy does where a run's packages are others: on a stock Prefect worker, with real packages."""

from __future__ import annotations

import asyncio
import shutil
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

import pytest
from prefect import flow, get_run_logger

from satflow_ext import runs
from satflow_ext.errors import CannotRecreate, EnvironmentDiffers
from satflow_ext.models import Origin, Registration, RunRequest
from satflow_ext.registration import register
from satflow_ext.runtime import load
from satflow_ext.versions import manifest_store
from tests.environments.locks import OTHER, changed
from tests.flow_runs import ended, log_of


@flow
def tells():
    import sys

    import toolz

    get_run_logger().info(f"user code runs with toolz {toolz.__version__} in {sys.prefix}")


@pytest.fixture
def registered_as(stack, name):
    """Registers a packed flow under a policy."""

    def register_one(packed, policy):
        wanted = Registration(name=name, environment=policy)
        return asyncio.run(register(packed, wanted, stack.endpoints, stack.settings))

    return register_one


def test_same_packages_are_not_worth_a_word(stack, packed, registered_as, ran):
    flow_here = packed(tells)
    assert flow_here.uses == ("cloudpickle", "prefect", "toolz")
    detail = ran(registered_as(flow_here, "refuse"))
    assert detail.run.state_type == "COMPLETED", log_of(stack, detail.run.id)
    log = log_of(stack, detail.run.id)
    assert f"user code runs with toolz {version('toolz')}" in log
    assert "registered with" not in log


def test_a_warning_in_the_runs_own_log(stack, packed, registered_as, ran):
    detail = ran(registered_as(changed(packed(tells), "toolz", version=OTHER), "warn"))
    assert detail.run.state_type == "COMPLETED"
    log = log_of(stack, detail.run.id)
    assert (
        f"not those that the flow was registered with.\n  toolz {OTHER} at registration, {version('toolz')} here\n"
        in log
    )
    assert f"user code runs with toolz {version('toolz')}" in log


def test_refused_before_user_code(stack, packed, registered_as, ran):
    detail = ran(registered_as(changed(packed(tells), "toolz", version=OTHER), "refuse"))
    assert detail.run.state_type == "FAILED"
    log = log_of(stack, detail.run.id)
    assert "EnvironmentDiffers: This flow run's packages are not those" in log
    assert f"toolz {OTHER} at registration, {version('toolz')} here" in log
    assert "environment='recreate'" in log
    assert "user code runs" not in log


def test_same_version_with_other_files_is_refused(stack, packed, registered_as):
    done = registered_as(changed(packed(tells), "toolz", files="sha256:" + "0" * 64), "refuse")
    manifest = asyncio.run(manifest_store.read_manifest(stack.endpoints.store, done.manifest))
    with pytest.raises(EnvironmentDiffers, match="but other files: toolz"):
        load.check_environment(manifest, Path("/nowhere"), stack.settings)


def test_recreated_by_the_first_run_and_there_for_the_next(stack, packed, registered_as):
    done = registered_as(changed(packed(tells), "toolz", version=OTHER), "recreate")
    environments = stack.settings.cache_dir / "environments"  # other tests need what else is in the cache
    shutil.rmtree(environments, ignore_errors=True)  # another test may have built the same
    first, second = _log_of_run(stack, done), _log_of_run(stack, done)
    for log in (first, second):
        assert f"user code runs with toolz {OTHER} in {stack.settings.cache_dir}" in log
        assert "registered with" not in log
    assert "Building the environment of this version" in first
    assert "Building" not in second


def _log_of_run(stack, done) -> str:
    request = RunRequest(deployment_id=done.deployment.id, idempotency_key=str(uuid4()))
    run_id = asyncio.run(runs.start_run(stack.endpoints.prefect, request)).id
    detail = ended(stack, run_id, patience=240)  # Python compiles everything that the first run imports
    log = log_of(stack, run_id)
    assert detail.run.state_type == "COMPLETED", log
    return log


def test_what_no_index_has_fails_the_run_with_the_reason(stack, packed, registered_as, ran):
    detail = ran(registered_as(changed(packed(tells), "toolz", version="0.0.0.1"), "recreate"))
    assert detail.run.state_type == "FAILED"
    log = log_of(stack, detail.run.id)
    assert "EnvironmentNotBuilt" in log
    assert "toolz==0.0.0.1" in log
    assert "user code runs" not in log


@pytest.mark.parametrize("editable", [True, False])
def test_what_comes_from_a_folder_is_named_when_registering(packed, registered_as, editable):
    origin = Origin(url="file:///home/me/x", vcs=None, commit=None, subdirectory=None, sha256=None, editable=editable)
    here = changed(packed(tells), "toolz", origin=origin)
    with pytest.raises(CannotRecreate, match=r"toolz .* \((editable|local)\)") as caught:
        registered_as(here, "recreate")
    assert caught.value.field == "environment"
