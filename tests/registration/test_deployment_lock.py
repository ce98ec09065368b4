"""Two who register the same deployment at the same moment: on one machine they take turns, from two machines one is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from prefect import flow

from satflow_ext.deployments import queries
from satflow_ext.deployments.lock import hold_deployment_lock
from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import DeploymentContested, DiskFailed
from satflow_ext.models import Registration
from satflow_ext.registration import register
from satflow_ext.settings import Settings
from tests.between import between


@flow(name="contested")
def mine():
    return "mine"


@flow(name="contested")
def theirs():
    return "theirs"


def test_of_four_at_once_each_is_the_next_version_or_unchanged(stack, packed, name):
    packs = [packed(mine), packed(theirs), packed(mine), packed(theirs)]

    async def at_once():
        registering = [register(pack, Registration(name=name), stack.endpoints, stack.settings) for pack in packs]
        return await asyncio.gather(*registering)

    done = asyncio.run(at_once())
    made = sorted(each.deployment.version for each in done if each.outcome != "unchanged")
    assert made == list(range(1, len(made) + 1))
    assert len({(each.deployment.version, each.manifest) for each in done}) == len(made)
    now = asyncio.run(queries.get_deployment(stack.endpoints, done[0].deployment.id))
    assert now.version == made[-1]


def test_who_is_overtaken_from_another_machine_is_told_whose_version_runs(stack, packed, name, tmp_path):
    wanted = Registration(name=name)
    elsewhere = stack.settings.model_copy(update={"runtime_dir": tmp_path / "run"})  # another machine shares no turns
    asyncio.run(register(packed(mine), wanted, stack.endpoints, stack.settings))
    other, overtaken = packed(theirs), packed(mine)

    def overtake(method, path):
        if (method, path) == ("POST", "/api/deployments/"):
            proxy.answered = lambda method, path: None
            asyncio.run(register(other, wanted, stack.endpoints, elsewhere))

    with between(stack.endpoints.prefect) as proxy:
        proxy.answered = overtake
        through = replace(stack.endpoints, prefect=proxy.api)
        changed = wanted.model_copy(update={"tags": ("changed",)})
        with pytest.raises(DeploymentContested, match=r"its version 3 is the one that runs.*register again"):
            asyncio.run(register(overtaken, changed, through, stack.settings))
    listed = asyncio.run(queries.find_deployment(stack.endpoints, f"contested/{name}"))
    assert (listed.version, listed.tags) == (3, ())


def test_a_lock_that_cannot_be_opened_is_told_with_its_path(tmp_path):
    here = Settings(runtime_dir=tmp_path)

    async def take():
        async with hold_deployment_lock("contested/nightly", PrefectApi("http://127.0.0.1:1/api"), here):
            return [path.name for path in (tmp_path / "turns").iterdir()]

    (name,) = asyncio.run(take())
    lock = tmp_path / "turns" / name
    assert not lock.exists()
    lock.mkdir()
    with pytest.raises(DiskFailed, match=f"{lock} cannot be locked: Is a directory. Nothing was changed.*RUNTIME_DIR"):
        asyncio.run(take())
