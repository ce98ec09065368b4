"""Runs of flows that this machine was not told to trust: refused before anything is unpickled, and the run's log says why."""

from __future__ import annotations

import asyncio

import pytest
from prefect import flow
from prefect.client.schemas.actions import DeploymentUpdate

from satflow_ext.keys import Keyring
from satflow_ext.models import Registration
from satflow_ext.registration import register
from satflow_ext.versions.pin import Pin
from tests.flow_runs import log_of
from tests.prefect_clients import stock_client


@flow
def harmless(word: str = "nothing"):
    return word


@flow
def another(word: str = "nothing"):
    return word


@pytest.fixture
def stranger(stack, tmp_path):
    """The settings of somebody whose key this machine does not know; Prefect and store are the same."""
    return stack.settings.model_copy(update={"state_dir": tmp_path / "stranger"})


def test_a_strangers_flow_is_refused_until_the_key_is_trusted(stack, stranger, packed, name, ran):
    done = asyncio.run(register(packed(harmless), Registration(name=name), stack.endpoints, stranger))
    refused = ran(done)
    assert refused.run.state_type in ("CRASHED", "FAILED")
    key = Keyring(stranger).get_signer().public_key
    log = log_of(stack, refused.run.id)
    assert f"The manifest was signed by key {key.id}, which is not trusted here" in log
    assert "satflow keys trust" in log
    Keyring(stack.settings).trust(key)
    assert ran(done).run.state_type == "COMPLETED"


def test_what_a_stranger_pinned_does_not_pass_for_unchanged(stack, stranger, packed, name):
    theirs = asyncio.run(register(packed(harmless), Registration(name=name), stack.endpoints, stranger))
    ours = asyncio.run(register(packed(harmless), Registration(name=name), stack.endpoints, stack.settings))
    assert (ours.outcome, ours.deployment.version) == ("changed", theirs.deployment.version + 1)


def test_the_flow_of_another_deployment_is_refused(stack, registered, ran):
    wanted, other = registered(harmless), registered(another)
    asyncio.run(repin(stack, wanted, other.manifest))
    detail = ran(wanted)
    assert detail.run.state_type in ("CRASHED", "FAILED")
    full = f"harmless/{wanted.deployment.name} pins a flow that was signed for another/{other.deployment.name}"
    assert full in log_of(stack, detail.run.id)


def test_another_minor_of_a_package_is_told_in_the_runs_log(stack, packed, name, ran):
    flow_here = packed(harmless)
    installed = tuple(
        each.model_copy(update={"version": "3.7.1"}) if each.name == "prefect" else each
        for each in flow_here.environment.distributions
    )
    environment = flow_here.environment.model_copy(update={"distributions": installed})
    made = flow_here.model_copy(update={"environment": environment})
    done = asyncio.run(register(made, Registration(name=name), stack.endpoints, stack.settings))
    detail = ran(done)
    assert detail.run.state_type == "COMPLETED"
    log = log_of(stack, detail.run.id)
    assert "prefect 3.7.1 at registration, 3." in log
    assert log.count("3.7.1") == 1


async def repin(stack, done, manifest):
    """What somebody can do who may write to the Prefect API."""
    async with stock_client(stack.endpoints.prefect) as client:
        steps = Pin(store="local", manifest=manifest).pull_steps()
        await client.update_deployment(done.deployment.id, DeploymentUpdate(pull_steps=steps))
