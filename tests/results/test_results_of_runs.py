"""What flows return comes back from their runs on the local stack, or the reason why not."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from prefect import flow, task

from satflow_ext.errors import ContentRefused, NotTrusted, ResultMissing, RunNotFound
from satflow_ext.keys import Keyring
from satflow_ext.models import Registered
from satflow_ext.prefect_api import prefect_client
from satflow_ext.results import reference
from satflow_ext.session import OpenConnection, Session
from tests.flow_runs import ended, log_of, start_run
from tests.prefect_clients import stock_client
from tests.satflow_command import satflow

if TYPE_CHECKING:
    from tests.local_stack import Stack

LIMIT = 20_000
SECRET = f"secret-{secrets.token_hex(8)}"


@task
def double(number: int) -> int:
    return 2 * number


@flow
def gives(kind: str) -> Any:
    """Return a value of that kind; of `nested`, what the same flow returned in a nested run."""
    import threading

    import numpy as np
    import pandas as pd
    from prefect.states import Completed

    class Point:
        def __init__(self, x: int) -> None:
            self.x = x

    values = {
        "plain": lambda: {"tiles": [1, 2], "size": (3, 4)},
        "none": lambda: None,
        "array": lambda: np.arange(3),
        "frame": lambda: pd.DataFrame({"a": [1, 2]}),
        "object": lambda: Point(5),
        "future": lambda: [double.submit(4)],
        "state": lambda: Completed(message="done"),
        "nested": lambda: ["outer", gives("plain")],
        "failing future": lambda: double.submit(None),
        "large": lambda: "x" * 30_000,
        "secret": lambda: {"token": f"Bearer {__import__('os').environ['A_TOKEN']}"},
        "lock": threading.Lock,
        "failure": lambda: 1 / 0,
    }
    return values[kind]()


@flow
async def gives_later(kind: str) -> Any:
    return {"later": kind}


@pytest.fixture
def small_results(tmp_path: Path, settings_file: Path) -> Path:
    """The settings file of runs: small results, and one secret."""
    (tmp_path / "A_TOKEN").write_text(SECRET)
    settings_file.write_text(f'secrets_dir = "{tmp_path}"\nresult_limit = {LIMIT}\n')
    return settings_file


@pytest.fixture
def session(stack: Stack) -> Session:
    return Session(OpenConnection(stack.settings, stack.endpoints))


@pytest.fixture
def deployment(small_results, registered) -> Registered:
    return registered(gives, secrets=("A_TOKEN",))


def read_result(session: Session, run_id: str) -> object:
    found = asyncio.run(session.runs.download_result(run_id))
    return None if found is None else found.read_value()


def label_of(stack: Stack, run_id: str) -> object:
    async def read() -> object:
        async with prefect_client(stack.endpoints.prefect) as client:
            return (await client.read_flow_run(UUID(run_id))).labels.get(reference.RESULT_LABEL)

    return asyncio.run(read())


RETURNED = {
    "plain": ("json", {"tiles": [1, 2], "size": (3, 4)}),
    "none": (None, None),
    "array": ("numpy", "array([0, 1, 2])"),
    "frame": ("pandas", "   a\n0  1\n1  2"),
    "object": ("pickle", None),
    "future": ("json", [8]),
    "state": (None, None),
    "nested": ("json", ["outer", {"tiles": [1, 2], "size": (3, 4)}]),
}
PREVIEWED = {
    "plain": "text",
    "none": "none",
    "array": "text",
    "frame": "table",
    "object": "object",
    "future": "text",
    "state": "none",
    "nested": "text",
}
MISSING = {
    "large": ("larger than `result_limit`", "not stored: it is larger than 20,000 bytes"),
    "secret": ("value of a secret", "not stored: it contains the value of the secret A_TOKEN."),
    "lock": ("cannot be pickled", "cannot be pickled (TypeError)"),
}
FAILING = ("failure", "failing future")


def test_results_of_runs(stack, session, deployment):
    runs = {kind: start_run(stack, deployment.deployment.id, kind=kind) for kind in (*RETURNED, *MISSING, *FAILING)}
    details = {kind: ended(stack, run_id) for kind, run_id in runs.items()}
    assert {kind for kind in runs if details[kind].run.state_type == "FAILED"} == set(FAILING)
    for kind, (name, expected) in RETURNED.items():
        found = asyncio.run(session.runs.download_result(runs[kind]))
        assert (found.header.format if found else None) == name, kind
        assert found is None or found.key is not None, "signed with the user's own key"
        value = found.read_value() if found else None
        if kind == "object":
            assert value.x == 5
        else:
            assert repr(value) == expected if isinstance(expected, str) else value == expected, kind
    previews = {kind: asyncio.run(session.runs.preview_result(runs[kind])) for kind in RETURNED}
    assert {kind: preview.kind for kind, preview in previews.items()} == PREVIEWED
    for kind, (message, line) in MISSING.items():
        with pytest.raises(ResultMissing, match=message):
            read_result(session, runs[kind])
        assert line in log_of(stack, runs[kind]), kind
    for kind in FAILING:
        assert label_of(stack, runs[kind]) is None
    kept = [file for file in (stack.settings.state_dir / "store").rglob("*") if file.is_file()]
    assert not [file for file in kept if SECRET.encode() in file.read_bytes()]
    assert str(label_of(stack, runs["plain"])).startswith("local sha256:")
    _check_changed_and_lost(stack, session, runs["plain"])
    _check_other_keys(stack, session, runs, details)


def _check_changed_and_lost(stack: Stack, session: Session, run_id: str) -> None:
    """A document that was changed in the store is refused, and a lost one is missing."""
    digest = str(label_of(stack, run_id)).rpartition(":")[2]
    (file,) = (stack.settings.state_dir / "store").rglob(digest)
    kept = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(ContentRefused, match="returned other data"):
        read_result(session, run_id)
    file.unlink()
    with pytest.raises(ResultMissing, match=r"no longer has the result of run .* It keeps them for 30 days"):
        read_result(session, run_id)


def _check_other_keys(stack: Stack, session: Session, runs: dict[str, str], details: dict[str, Any]) -> None:
    """Without the key, data is read and a pickle is not; the label of another run is of no use."""
    without = stack.settings.model_copy(update={"state_dir": stack.settings.state_dir / "elsewhere"})
    elsewhere = Session(OpenConnection(without, stack.endpoints))
    assert read_result(elsewhere, runs["future"]) == [8]
    with pytest.raises(NotTrusted, match="no key that is trusted here has signed"):
        read_result(elsewhere, runs["object"])
    assert Keyring(without).find_signer() is None

    async def give_label(run_id: str, label: object) -> None:
        async with stock_client(stack.endpoints.prefect) as client:
            await client.update_flow_run_labels(UUID(run_id), {reference.RESULT_LABEL: label})

    asyncio.run(give_label(runs["none"], label_of(stack, runs["object"])))
    with pytest.raises(ContentRefused, match=f"is that of run {runs['object']}"):
        read_result(session, runs["none"])


def test_of_an_async_flow_and_of_a_run_without_results(stack, session, small_results, registered):
    done = registered(gives_later)
    run_id = start_run(stack, done.deployment.id, kind="a")
    ended(stack, run_id)
    assert read_result(session, run_id) == {"later": "a"}

    small_results.write_text("result_limit = 0\n")
    run_id = start_run(stack, done.deployment.id, kind="b")
    ended(stack, run_id)
    with pytest.raises(ResultMissing, match="results are disabled where it ran"):
        read_result(session, run_id)


def test_the_latest_run_of_a_deployment_is_found_by_its_name(stack, session, registered):
    done = registered(gives_later)
    name = done.deployment.name
    with pytest.raises(RunNotFound, match="has no run yet"):
        asyncio.run(session.find_run(name))
    first = ended(stack, start_run(stack, done.deployment.id, kind="first")).run
    latest = ended(stack, start_run(stack, done.deployment.id, kind="latest")).run
    found = {each: asyncio.run(session.find_run(each)).id for each in (name, first.name, first.id, done.deployment.id)}
    assert found == {name: latest.id, first.name: first.id, first.id: first.id, done.deployment.id: latest.id}
    printed = satflow("logs", name)
    assert printed.returncode == 0, printed.stderr
    assert latest.name in printed.stdout
    unknown = satflow("logs", "no-such-run")
    assert unknown.returncode == 1
    assert "No flow run has the id or name 'no-such-run'." in unknown.stderr
