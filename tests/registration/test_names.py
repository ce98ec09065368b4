"""Names of flows, deployments and work pools on a real Prefect server: quoted in its paths, or refused with the reason."""

from __future__ import annotations

import ast
import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.schemas.actions import WorkPoolCreate

from satflow_ext.commands import doctor
from satflow_ext.deployments import conflicts, queries
from satflow_ext.errors import BadRequest, SatflowError, WorkPoolNotFound
from satflow_ext.kernel.load_flow import split_version
from satflow_ext.models import Registration
from satflow_ext.prefect_api import client
from satflow_ext.prefect_names import check_deployment_name, check_flow_name
from satflow_ext.registration import register
from satflow_ext.registration.preview import preview_registration
from satflow_ext.runs.work_pools import list_work_pools
from tests.prefect_clients import stock_client

AWKWARD = (
    "a b#c?d+e",
    "#first",
    "?q=1",
    "c:d;e=f,g",
    "me@home",
    "{flow_name}",
    ".hidden",
    "...",
    "back\\slash",
    "quote'\"`$(x)",
    "-x",
    " leading",
    "größe 日本語",
    "👩‍💻🚀",
    "~^|[]*!",
    "é",
    "x" * 255,
    "🚀" * 255,
)
REFUSED = {
    "a/b": "'/'",
    "50%": "'%'",
    "50%20": "'%'",
    "a&b": "'&'",
    "a<b>": "'<', '>'",
    "a\nb": r"'\n'",
    "a\x1b[31m": r"'\x1b'",
    "lone \ud800": r"'\ud800'",
    ".": "folder",
    "..": "folder",
    "": "empty",
    "  ": "empty",
    "x" * 256: "256 characters",
}


@pytest.mark.parametrize("awkward", AWKWARD)
def test_a_flow_and_its_deployment_are_registered_and_found_under_any_name(stack, packed, awkward):
    plain = flow(lambda x=1: x, name=awkward)
    wanted = Registration(name=awkward)
    before = asyncio.run(preview_registration(packed(plain), wanted, stack.endpoints, stack.settings))
    made = asyncio.run(register(packed(plain), wanted, stack.endpoints, stack.settings))
    again = asyncio.run(register(packed(plain), wanted, stack.endpoints, stack.settings))
    found = asyncio.run(conflicts.look_up_deployment(stack.endpoints, stack.settings, f"{awkward}/{awkward}"))
    asyncio.run(queries.delete_deployment(stack.endpoints, stack.settings, found.id))
    assert (before.outcome, made.outcome, again.outcome) == ("created", "created", "unchanged")
    assert (found.id, found.flow_name, found.name) == (made.deployment.id, awkward, awkward)


def test_a_run_of_a_deployment_with_an_awkward_name_completes(registered, ran):
    awkward = "a b#c?d+e 🚀"
    detail = ran(registered(flow(lambda x=1: x, name=awkward), name=awkward))
    assert (detail.run.state_type, detail.run.deployment_name) == ("COMPLETED", awkward)


@pytest.mark.parametrize("awkward", AWKWARD)
def test_a_work_pool_is_used_under_any_name(stack, packed, awkward):
    pool = f"{awkward}{uuid4().hex[:8]}"
    asyncio.run(make_pool(stack, pool))
    plain = flow(lambda x=1: x, name=f"in-{uuid4().hex[:8]}")
    made = asyncio.run(register(packed(plain), Registration(work_pool=pool), stack.endpoints, stack.settings))
    asyncio.run(queries.delete_deployment(stack.endpoints, stack.settings, made.deployment.id))
    assert made.deployment.work_pool == pool
    assert pool in [each.name for each in asyncio.run(list_work_pools(stack.endpoints.prefect))]
    with pytest.raises(WorkPoolNotFound, match="No Prefect worker polls"):
        asyncio.run(doctor._check_work_pool(replace(stack.endpoints, work_pool=pool)))
    asyncio.run(remove_pool(stack, pool))


@pytest.mark.parametrize("absent", [*AWKWARD, *filter(None, REFUSED)])
def test_a_work_pool_that_does_not_exist_is_said_to_be_missing(stack, packed, absent):
    plain = flow(lambda x=1: x, name="nowhere")
    with pytest.raises(SatflowError) as refused:
        asyncio.run(
            preview_registration(packed(plain), Registration(work_pool=absent), stack.endpoints, stack.settings)
        )
    assert refused.value.message == f"Prefect has no work pool called {absent!r}."


@pytest.mark.parametrize(("name", "why"), REFUSED.items())
def test_a_name_that_prefect_or_a_path_cannot_take_is_refused_with_the_reason(name, why):
    with pytest.raises(BadRequest) as refused:
        check_deployment_name(name)
    assert refused.value.message.startswith(f"{name!r} is not a valid deployment name: ")
    assert why in refused.value.message
    with pytest.raises(BadRequest, match="not a valid flow name"):
        check_flow_name(name)


@pytest.mark.parametrize("name", ["tiles@2", "a@b@10"])
def test_a_name_that_would_be_read_as_a_version_of_another_is_refused(stack, packed, name):
    assert split_version(f"flow/{name}")[1] is not None
    with pytest.raises(BadRequest, match="would be read as version"):
        asyncio.run(register(packed(flow(lambda: 1, name=name)), Registration(), stack.endpoints, stack.settings))


def test_every_name_in_a_path_is_quoted():
    """Otherwise everything after a `#` or `?` in a name would be lost, and a `..` would leave the path."""
    inserted = {
        ast.unparse(part.value)
        for node in ast.walk(ast.parse(Path(client.__file__).read_text()))
        if isinstance(node, ast.JoinedStr) and str(getattr(node.values[0], "value", "")).startswith("/")
        for part in node.values
        if isinstance(part, ast.FormattedValue)
    }
    assert {"quote_name(name)", "quote_name(flow_name)", "quote_name(work_pool)", "deployment_id"} <= inserted
    assert not {each for each in inserted if not each.endswith("_id") and not each.startswith("quote_name(")}


async def make_pool(stack, name: str) -> None:
    async with stock_client(stack.endpoints.prefect) as prefect:
        await prefect.create_work_pool(WorkPoolCreate(name=name, type="process"))


async def remove_pool(stack, name: str) -> None:
    async with stock_client(stack.endpoints.prefect) as prefect:
        await prefect.delete_work_pool(client.quote_name(name))
