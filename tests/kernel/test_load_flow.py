"""`%load_flow`: a registered version back in a real kernel, after everything about it was checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from satflow_ext.deployments import queries, versions
from satflow_ext.kernel.load_flow import split_version
from satflow_ext.models import VersionList, VersionQuery
from satflow_ext.versions import manifest_store

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel
    from tests.local_stack import Stack

TASK = "from prefect import flow, task\nFACTOR = {factor}\n@task\ndef scale(number):\n    return FACTOR * number"
FLOW = "@flow(name={name!r}, log_prints=True)\ndef main(number: int = 2):\n    return scale(number)"
FORGET = (
    "%reset -f\n%load_ext satflow_ext\ndef reached(flow): return flow.fn.__globals__['scale'].fn.__globals__['FACTOR']"
)


@pytest.fixture(scope="module")
def notebook(module_kernel: Kernel, stack: Stack) -> Kernel:
    module_kernel.run("%load_ext satflow_ext")
    return module_kernel


@pytest.fixture
def name(notebook: Kernel) -> str:
    """A deployment with two versions, whose notebook has been forgotten."""
    name = f"load-{uuid4().hex[:6]}"
    for factor in (10, 100):
        notebook.run(TASK.format(factor=factor))
        notebook.run(FLOW.format(name=name))
        notebook.run("made = %register_flow main")
        assert notebook.value("made.registered.deployment.version") == str(1 if factor == 10 else 2)
    notebook.run(FORGET)
    return name


@pytest.fixture
def said(notebook: Kernel) -> Callable[[str], str]:
    """What a line wrote to stderr."""

    def run(line: str) -> str:
        streams = [each["content"] for each in notebook.run(line) if each["msg_type"] == "stream"]
        return "".join(each["text"] for each in streams if each["name"] == "stderr")

    return run


def test_an_earlier_version_is_back_and_unchanged(notebook: Kernel, name: str, said: Callable[[str], str]) -> None:
    assert said(f"%load_flow {name}@1") == ""
    assert notebook.value("main.fn.__name__, reached(main)") == "('main', 10)"
    live = next(flow for flow in notebook.flows() if flow["variable"] == "main")

    assert said(f"%load_flow {name}").startswith(
        "This notebook already has another value in the variable main: a Flow. Choose"
    )
    assert said(f"%load_flow {name} --as newest") == ""
    assert notebook.value("reached(newest), reached(main)") == "(100, 10)"
    assert said(f"%load_flow {name}@1") == "", "the same flow may be there already"

    notebook.run("again = %register_flow newest")
    assert notebook.value("again.registered.outcome, again.registered.deployment.version") == "('unchanged', 2)"
    notebook.run("back = %register_flow main")
    assert notebook.value("back.registered.outcome, back.registered.deployment.version") == "('changed', 3)"
    assert notebook.value("back.registered.deployment.fingerprint") == repr(live["fingerprint"]), (
        "drift tells the truth"
    )


def test_its_cells_come_along(notebook: Kernel, name: str, stack: Stack) -> None:
    request = notebook.client.execute(f"%load_flow {name}@1 --cells")
    reply = notebook.client.get_shell_msg(timeout=60)
    while reply["parent_header"].get("msg_id") != request:
        reply = notebook.client.get_shell_msg(timeout=60)
    (payload,) = reply["content"]["payload"]
    assert payload["source"] == "set_next_input"
    assert "FACTOR = 10\n" in payload["text"]
    assert f"@flow(name={name!r}, log_prints=True)" in payload["text"]
    notebook.run("%register_flow main")
    deployment = notebook.value("_.registered.deployment.id").strip("'")
    detail = asyncio.run(versions.read_version(stack.endpoints, deployment, 3))
    assert [cell.text.partition("\n")[0] for cell in detail.source.cells][-1].startswith("@flow")


def test_its_setup_cells_run_where_they_overwrite_nothing(notebook: Kernel, said: Callable[[str], str]) -> None:
    name = f"setup-{uuid4().hex[:6]}"
    notebook.run("%%flow_setup\nimport threading\nlock = threading.Lock()")
    notebook.run(f"from prefect import flow\n@flow(name={name!r})\ndef main(): return lock")
    assert said("first = %register_flow main") == ""
    assert said(f"%load_flow {name} --as same") == "", "they have run here"
    assert notebook.value("same.fn() is lock") == "True"
    notebook.run(FORGET)
    notebook.run("lock = 5")
    assert f"The setup cells of {name}/{name} define lock, which this notebook has already defined." in said(
        f"%load_flow {name}"
    )
    assert notebook.value("lock, 'main' in globals()") == "(5, False)"
    notebook.run("del lock")
    assert said(f"%load_flow {name}") == ""
    assert notebook.value("main.fn() is lock, type(lock).__name__") == "(True, 'lock')"
    notebook.run("again = %register_flow main")
    assert notebook.value("again.registered.outcome") == "'unchanged'"
    notebook.run("%reset -f")


def test_nothing_untrusted_is_unpickled(notebook: Kernel, name: str, said: Callable[[str], str], stack: Stack) -> None:
    page = asyncio.run(_history(stack, name))
    digest = asyncio.run(manifest_store.read_manifest(stack.endpoints.store, page.versions[1].manifest)).content
    (file,) = [f for f in (stack.settings.state_dir / "store").rglob("*") if digest.removeprefix("sha256:") in f.name]
    kept = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    try:
        assert "returned other data for" in said(f"%load_flow {name}@1")
    finally:
        file.write_bytes(kept)
    assert notebook.value("'main' in globals()") == "False"


async def _history(stack: Stack, name: str) -> VersionList:
    found = await queries.find_deployment(stack.endpoints, name)
    return await versions.list_versions(stack.endpoints, found.id, VersionQuery())


MISTAKES = {
    "no-such-deployment": "No deployment is called 'no-such-deployment'.",
    "{name}@9": "has no version 9. It has versions 1 to 2.",
    "{name} --as 2nd": "'2nd' is not a valid variable name.",
    "{name} --cell --other": "Cannot read the line:",
    "'{name}": "Cannot read the line: No closing quotation.",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_message(name: str, said: Callable[[str], str], line: str) -> None:
    error = said(f"%load_flow {line.format(name=name)}")
    assert MISTAKES[line] in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a@2", ("a", 2)), ("a", ("a", None)), ("a@b", ("a@b", None)), ("a@b@12", ("a@b", 12)), ("@2", ("@2", None))],
)
def test_a_name_with_a_version(text: str, expected: tuple[str, int | None]) -> None:
    assert split_version(text) == expected
