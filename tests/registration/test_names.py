"""Names of flows, deployments and work pools on a real Prefect server: quoted in its paths, or refused with the reason."""

from __future__ import annotations

import ast
import asyncio
import inspect
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate

import satflow_ext
from satflow_ext.commands import doctor
from satflow_ext.deployments import conflicts, queries
from satflow_ext.errors import BadRequest, SatflowError, WorkPoolNotFound
from satflow_ext.kernel.load_flow import split_version
from satflow_ext.models import Registration
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_names import check_deployment_name, check_flow_name
from satflow_ext.registration import register
from satflow_ext.registration.preview import preview_registration
from satflow_ext.runs.work_pools import list_work_pools

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
BY_NAME = {
    name
    for name, method in inspect.getmembers(PrefectClient, inspect.isfunction)
    if {"name", "work_pool_name", "flow_name"} & set(inspect.signature(method).parameters)
    and not name.startswith(("create_", "_"))
} - {"read_variable_by_name", "delete_variable_by_name", "increment_concurrency_slots"}


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


def test_only_one_module_reads_from_prefect_by_a_name():
    """Prefect's client puts a name into a path as it is."""
    assert {"read_deployment_by_name", "read_work_pool", "read_workers_for_work_pool"} <= BY_NAME
    package = Path(satflow_ext.__file__).parent
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in BY_NAME and _is_client(node.value)
    }
    assert callers == {"prefect_names.py"}


def _is_client(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "client"


async def make_pool(stack, name: str) -> None:
    async with prefect_client(stack.endpoints.prefect) as client:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process"))


async def remove_pool(stack, name: str) -> None:
    from satflow_ext.prefect_names import quote_name

    async with prefect_client(stack.endpoints.prefect) as client:
        await client.delete_work_pool(quote_name(name))
