"""Options of a registration that Prefect applies to the runs: description, concurrency limit, retries, time limit."""

from __future__ import annotations

import asyncio

import pytest
from prefect import flow, get_run_logger
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.runtime import flow_run

from satflow_ext.errors import DeploymentDrifted
from satflow_ext.models import Registration
from satflow_ext.registration import register
from satflow_ext.runs import cancel_run, read_run
from tests.eventually import eventually
from tests.flow_runs import ended, log_of, start_run
from tests.registration.screens import in_prefect

LIMITED = {"description": "Nightly tiles.\nAsk Ann.", "concurrency_limit": 2, "collision_strategy": "cancel_new"}


@flow
def limited():
    return 1


def row_of(stack, done):
    return in_prefect(stack, lambda client: client.read_deployment(done.deployment.id))


def settings_of(row):
    limit, options = row.global_concurrency_limit, row.concurrency_options
    return row.description, limit and limit.limit, options and options.collision_strategy.value


def test_prefect_has_what_was_chosen_and_loses_what_is_no_longer_chosen(stack, registered):
    done = registered(limited, **LIMITED)
    assert settings_of(row_of(stack, done)) == ("Nightly tiles.\nAsk Ann.", 2, "CANCEL_NEW")
    assert {name: getattr(done.deployment, name) for name in LIMITED} == LIMITED
    assert registered(limited, **LIMITED).outcome == "unchanged"
    plain = registered(limited)
    assert (plain.outcome, plain.kept) == ("changed", ())
    assert settings_of(row_of(stack, done))[:2] == (None, None)


def test_a_change_in_prefect_stays_unless_the_same_value_was_chosen_anew(stack, registered, packed, name):
    done = registered(limited, **LIMITED)
    change = DeploymentUpdate(description="Ask Ben", concurrency_limit=5)
    in_prefect(stack, lambda client: client.update_deployment(done.deployment.id, change))
    again = registered(limited, **LIMITED, tags=("nightly",))
    assert {each.name: each.after for each in again.kept} == {"description": "Ask Ben", "concurrency_limit": "5"}
    assert settings_of(row_of(stack, done)) == ("Ask Ben", 5, "CANCEL_NEW")
    wanted = Registration(name=name, **{**LIMITED, "concurrency_limit": 3}, tags=("nightly",))
    with pytest.raises(DeploymentDrifted, match=r"concurrency_limit: 2 → 5"):
        asyncio.run(register(packed(limited), wanted, stack.endpoints, stack.settings))


def read_state(stack, run_id):
    return asyncio.run(read_run(stack.endpoints.prefect, run_id)).state_name


def test_a_run_beyond_the_limit_is_canceled_or_waits(stack, registered, tmp_path):
    gate = tmp_path / "gate"

    @flow(name="gated")
    def gated(file: str):
        import pathlib
        import time

        pathlib.Path(f"{file}.began").touch()
        while not pathlib.Path(file).exists():
            time.sleep(0.1)

    canceling = registered(gated, concurrency_limit=1, collision_strategy="cancel_new").deployment.id
    first = start_run(stack, canceling, file=str(gate))
    eventually(lambda: (tmp_path / "gate.began").exists(), "the first run executes")
    second = start_run(stack, canceling, file=str(gate))
    assert ended(stack, second).run.state_type == "CANCELLED"
    waiting = registered(gated, concurrency_limit=1).deployment.id
    third = start_run(stack, waiting, file=str(gate))
    eventually(lambda: read_state(stack, third) == "AwaitingConcurrencySlot", "the third run waits")
    asyncio.run(cancel_run(stack.endpoints.prefect, third))
    gate.touch()
    assert ended(stack, first).run.state_type == "COMPLETED"


def test_retries_of_a_registration_replace_those_of_the_decorator(stack, registered):
    @flow(name="second-time", retries=0)
    def second_time():
        get_run_logger().info(f"attempt {flow_run.run_count}")
        if flow_run.run_count < 2:
            raise ValueError("not yet")

    done = registered(second_time, retries=1, retry_delay=0)
    assert (done.deployment.retries, done.deployment.retry_delay) == (1, 0)
    run = start_run(stack, done.deployment.id)
    assert ended(stack, run).run.state_type == "COMPLETED"
    assert "attempt 2" in log_of(stack, run)


def test_a_run_fails_after_its_time_limit(stack, registered):
    @flow(name="endless", timeout_seconds=3600)
    def endless():
        import time

        while True:
            time.sleep(0.1)

    run = start_run(stack, registered(endless, timeout=1.5).deployment.id)
    found = ended(stack, run).run
    assert (found.state_type, found.state_name) == ("FAILED", "TimedOut")
