"""What runs are started with: told to a real Prefect in a work pool's own words, and merged with what somebody changed there."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import prefect.server.api.collections_data
import pytest
from prefect import flow
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate

from satflow_ext.errors import DeploymentDrifted, InvalidInfrastructure
from satflow_ext.models import Infrastructure, Registration
from satflow_ext.registration import register, registrar
from tests.flow_runs import log_of
from tests.prefect_clients import stock_client

AGGREGATE = Path(prefect.server.api.collections_data.__path__[0]) / "views" / "aggregate-worker-metadata.json"
WANTED = Infrastructure(image="team/tiles:1", memory=2, env={"REGION": "north"})
TOLD = {
    "image": "team/tiles:1",
    "memory_request": "2048Mi",
    "memory_limit": "2048Mi",
    "env": {"REGION": "north"},
}


@flow(log_prints=True)
def tells_region():
    print("region", os.environ.get("REGION"), os.environ.get("SHARDS"))  # noqa: T201


class Kubernetes:
    """A work pool of type kubernetes at the local stack's Prefect server, as a team's would have it."""

    def __init__(self, stack, packed, name):
        self.endpoints = replace(stack.endpoints, local=False, work_pool=f"k8s-{uuid4().hex[:8]}")
        self._settings, self._packed, self._name = stack.settings, packed(tells_region), name
        self.do(self._make)

    def do(self, work):
        async def done():
            async with stock_client(self.endpoints.prefect) as client:
                return await work(client)

        return asyncio.run(done())

    async def _make(self, client):
        known = json.loads(AGGREGATE.read_text())["prefect-kubernetes"]["kubernetes"]
        template = known["default_base_job_configuration"]
        pool = WorkPoolCreate(name=self.endpoints.work_pool, type="kubernetes", base_job_template=template)
        await client.create_work_pool(pool)

    def register(self, wanted, *, overwrite=False):
        choice = Registration(name=self._name, infrastructure=wanted)
        attempt = register(self._packed, choice, self.endpoints, self._settings, overwrite=overwrite)
        self.done = asyncio.run(attempt)
        return self.done

    def roll_back(self, number):
        return asyncio.run(registrar.roll_back(self.endpoints, self._settings, self.done.deployment.id, number))

    @property
    def told(self):
        """The deployment's job variables in Prefect."""
        return self.do(lambda client: client.read_deployment(UUID(self.done.deployment.id))).job_variables

    def change(self, **job_variables):
        """What somebody does in Prefect."""
        change = DeploymentUpdate(job_variables={**self.told, **job_variables})
        self.do(lambda client: client.update_deployment(UUID(self.done.deployment.id), change))


@pytest.fixture
def kubernetes(stack, packed, name):
    return Kubernetes(stack, packed, name)


def rows(changes):
    return {change.name: (change.before, change.after) for change in changes}


def test_prefect_is_told_in_the_words_of_the_work_pool(kubernetes):
    done = kubernetes.register(WANTED)
    assert kubernetes.told == TOLD
    assert (done.deployment.infrastructure, done.deployment.drift) == (WANTED, ())
    assert kubernetes.register(WANTED).outcome == "unchanged"

    again = kubernetes.register(Infrastructure(memory=4, env={"SHARDS": "8"}))
    assert (again.outcome, again.deployment.version, again.kept) == ("changed", 2, ())
    assert kubernetes.told == {"memory_request": "4096Mi", "memory_limit": "4096Mi", "env": {"SHARDS": "8"}}

    back = kubernetes.roll_back(1)
    assert (back.deployment.version, kubernetes.told) == (3, TOLD)


def test_what_somebody_changed_in_prefect_is_shown_and_left_alone(kubernetes):
    kubernetes.register(WANTED)
    kubernetes.change(image="team/tiles:hotfix", env={"REGION": "north", "DEBUG": "1"}, namespace="night")
    again = kubernetes.register(WANTED)
    drift = {"job_variables.image": ('"team/tiles:1"', '"team/tiles:hotfix"')}
    assert (again.outcome, rows(again.kept)) == ("unchanged", drift), "what is set beside is no drift"

    changed = kubernetes.register(WANTED.model_copy(update={"memory": 8}))
    assert (changed.outcome, rows(changed.kept)) == ("changed", drift)
    beside = {"env": {"REGION": "north", "DEBUG": "1"}, "namespace": "night"}
    sized = {"memory_request": "8192Mi", "memory_limit": "8192Mi"}
    assert kubernetes.told == {"image": "team/tiles:hotfix", **sized, **beside}

    other = WANTED.model_copy(update={"image": "team/tiles:2"})
    with pytest.raises(DeploymentDrifted, match=r"job_variables\.image: .*tiles:1.* → .*hotfix"):
        kubernetes.register(other)
    assert kubernetes.register(other, overwrite=True).deployment.drift == ()
    assert kubernetes.told == {**TOLD, **beside, "image": "team/tiles:2"}


def test_refused_before_anything_is_sent(kubernetes):
    with pytest.raises(InvalidInfrastructure, match="has no job variable for gpus"):
        kubernetes.register(Infrastructure(gpus=1))
    with pytest.raises(InvalidInfrastructure, match="Prefect would store it in plain text"):
        kubernetes.register(Infrastructure(env={"API_TOKEN": "b7e23ec29af22b0b4e41da31e868d572"}))
    rest = kubernetes.do(lambda client: client.read_deployments())
    assert not [row for row in rest if row.work_pool_name == kubernetes.endpoints.work_pool]


def test_runs_of_the_local_stack_have_the_environment(stack, registered, ran):
    done = registered(tells_region, infrastructure=Infrastructure(env={"REGION": "north", "SHARDS": "a=b c"}))
    detail = ran(done)
    assert "region north a=b c" in log_of(stack, detail.run.id)
