"""A secret reaches the flow, its tasks and Dask workers, and nothing that Prefect, the store or a log keeps."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from urllib.parse import quote

import pytest
from prefect import flow, get_run_logger, task

from satflow_ext.models import ExecutorChoice
from tests.flow_runs import log_of


@task
def uses_it(number):
    import base64
    import os
    from urllib.parse import quote

    value = os.environ["A_CANARY"]
    log = get_run_logger()
    log.info("task %s has %s", number, value)
    log.info(f"basic {base64.b64encode(f'user:{value}'.encode()).decode()} url {quote(value, safe='')}")
    raise ValueError(f"the server refused {value}")


@flow(log_prints=True)
def leaks(digest: str):
    import hashlib
    import logging
    import os

    value = os.environ["A_CANARY"]
    assert hashlib.sha256(value.encode()).hexdigest() == digest, "another value than was given"
    print("printed", value)  # noqa: T201 - Prefect logs it
    logging.getLogger("prefect.mine").warning("logged %r", {"key": value})
    uses_it.submit(1).wait()
    raise RuntimeError(f"cannot log in with {value}")


@pytest.fixture
def canary(house: Path):
    """A secret of this test alone, mounted as a file on the machine of the Prefect worker."""
    value = f"Can/{secrets.token_urlsafe(24)}+y"
    folder = house / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / "A_CANARY").write_text(value)
    settings_file = house / "satflow.toml"
    before = settings_file.read_text() if settings_file.exists() else None
    settings_file.write_text(f'{before or ""}\nsecrets_dir = "{folder}"\n')
    yield value
    (folder / "A_CANARY").unlink()
    settings_file.unlink() if before is None else settings_file.write_text(before)


def read_if_there(file: Path) -> bytes:
    """The bytes of a file; none if it was removed since it was found, as the files of a log that is uploaded."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def spelled(value: str) -> list[bytes]:
    """The value in the forms that the flow writes."""
    inner = base64.b64encode(f"user:{value}".encode()).decode()[8:-6]
    return [form.encode() for form in (value, quote(value, safe=""), base64.b64encode(value.encode()).decode(), inner)]


@pytest.mark.parametrize(
    "executor",
    [
        ExecutorChoice(),
        ExecutorChoice(name="processes"),
        ExecutorChoice(name="dask-local", options={"n_workers": 1}),
        ExecutorChoice(name="dask-cluster", options={"n_workers": 1, "share": "run"}),
    ],
    ids=lambda choice: choice.name,
)
def test_used_everywhere_and_written_nowhere(stack, registered, ran, canary, executor):
    import hashlib

    done = registered(leaks, executor=executor, secrets=("A_CANARY",))
    detail = ran(done, digest=hashlib.sha256(canary.encode()).hexdigest())
    log = log_of(stack, detail.run.id)
    assert detail.run.state_type == "FAILED", log
    for said in ("printed", "task 1 has", "cannot log in with", "refused"):
        assert f"{said} [secret A_CANARY]" in log, log
    assert "cannot log in with [secret A_CANARY]" in detail.run.state_message
    kept = [file for file in stack.settings.state_dir.rglob("*") if file.is_file()]
    assert {"prefect.db", "prefect-worker.log"} <= {file.name for file in kept}
    found = [(file.name, form) for file in kept for form in spelled(canary) if form in read_if_there(file)]
    assert not found
    assert canary.encode() not in repr(done).encode()


def test_missing_ones_stop_the_run_before_user_code(stack, registered, ran):
    detail = ran(registered(leaks, secrets=("NOT_THERE", "NEITHER")), digest="")
    assert detail.run.state_type == "FAILED"
    log = log_of(stack, detail.run.id)
    assert "SecretsMissing: This flow run needs NEITHER, NOT_THERE, found neither in the environment" in log
    assert "not-there" in log
    assert "printed" not in log
