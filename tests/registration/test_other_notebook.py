"""Two notebooks that register the same deployment: the second one is told of the first."""

from __future__ import annotations

import asyncio

import pytest
from prefect import flow

from satflow_ext import cli
from satflow_ext.deployments.state import DeploymentState
from satflow_ext.display.registered_flow import RegisteredFlow, format_result
from satflow_ext.errors import RegisteredElsewhere
from satflow_ext.models import Registration
from satflow_ext.registration import register
from satflow_ext.registration.preview import preview_registration
from tests.notebook_files import write_notebook


@flow(name="shared")
def first():
    return 1


@flow(name="shared")
def second():
    return 2


@pytest.fixture
def from_notebook(packed):
    """Packs a flow as if a notebook had it."""

    def pack(a_flow, notebook):
        made = packed(a_flow)
        return made.model_copy(update={"source": made.source.model_copy(update={"notebook": notebook})})

    return pack


def test_another_notebook_is_named_when_it_changes_the_deployment_and_when_it_does_not(stack, from_notebook, name):
    def done(a_flow, notebook):
        return asyncio.run(
            register(from_notebook(a_flow, notebook), Registration(name=name), stack.endpoints, stack.settings)
        )

    made = done(first, "a.ipynb")
    same = done(first, "b.ipynb")
    ahead = asyncio.run(
        preview_registration(from_notebook(second, "b.ipynb"), Registration(name=name), stack.endpoints, stack.settings)
    )
    changed = done(second, "b.ipynb")
    back = done(first, "b.ipynb")
    found = [(each.outcome, [finding.kind for finding in each.warnings]) for each in (made, same, ahead, changed, back)]
    assert found == [
        ("created", []),
        ("unchanged", ["notebook"]),
        ("changed", ["notebook"]),
        ("changed", ["notebook"]),
        ("changed", []),
    ]
    said = "was registered from a.ipynb before, now from b.ipynb"
    assert f"  warning: flow: {said}." in format_result(same)
    assert f"  warning: flow: {said}." in format_result(changed)
    assert f"flow: {said}." in repr(RegisteredFlow(changed, None))


def test_the_notebooks_of_a_folder(stack, tmp_path, name, capsys):
    for number, file in enumerate(("a.ipynb", "b.ipynb")):
        source = f"from prefect import flow\n@flow(name='shared')\ndef main(): return {number}\n%register_flow main --name {name}"
        write_notebook(tmp_path / file, source)
    assert cli.main(["register", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    before, now = tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    assert f"  warning: main: was registered from {before} before, now from {now}." in shown


def test_one_notebook_in_two_checkouts_is_the_same_one(stack, registered, from_notebook, tmp_path, name):
    from satflow_ext.versions import manifest_store

    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    here, there = tmp_path / "here" / "a.ipynb", tmp_path / "there" / "a.ipynb"
    here.touch()
    made = asyncio.run(
        register(from_notebook(first, str(here)), Registration(name=name), stack.endpoints, stack.settings)
    )
    known = asyncio.run(manifest_store.read_manifest(stack.endpoints.store, made.manifest))

    def draft(notebook):
        return known.model_copy(update={"source": from_notebook(first, notebook).source})

    state = DeploymentState(known.full_name, None, known, None)
    assert state.find_other_notebook(draft("a.ipynb")) == ()
    assert state.find_other_notebook(draft(str(there))) == ()
    there.touch()
    (finding,) = state.find_other_notebook(draft(str(there)))
    assert f"registered from {here} before, now from {there}" in finding.message, "both are on this machine"


def test_a_deployment_that_is_not_one_of_those_to_replace_stays_as_it_is(stack, from_notebook, name):
    def done(a_flow, notebook, **replaces):
        packed = from_notebook(a_flow, notebook)
        return asyncio.run(register(packed, Registration(name=name), stack.endpoints, stack.settings, **replaces))

    made = done(first, "a.ipynb", replaces=())
    assert made.outcome == "created"
    for a_flow in (first, second):
        with pytest.raises(
            RegisteredElsewhere, match=f"shared/{name} .version 1. was registered from a.ipynb"
        ) as refused:
            done(a_flow, "b.ipynb", replaces=("another-id",))
        assert (refused.value.field, refused.value.status) == ("name", 409)
    assert done(first, "a.ipynb").outcome == "unchanged", "nothing was registered meanwhile"
    assert done(second, "a.ipynb", replaces=(made.deployment.id,)).outcome == "changed"
    assert done(first, "b.ipynb").outcome == "changed", "any may be replaced where nothing is said"
