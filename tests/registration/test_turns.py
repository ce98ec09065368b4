"""Two who register the same deployment at the same moment: on one machine they take turns, from two machines one is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from prefect import flow

from satflow_ext.errors import DeploymentContested
from satflow_ext.models import Registration
from satflow_ext.registration import deployments, register
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
    now = asyncio.run(deployments.get(stack.endpoints, done[0].deployment.id))
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
        with pytest.raises(DeploymentContested, match=r"version 3 is theirs, and it is what runs.*register again"):
            asyncio.run(register(overtaken, changed, through, stack.settings))
    listed = asyncio.run(deployments.find(stack.endpoints, f"contested/{name}"))
    assert (listed.version, listed.tags) == (3, ())
