"""Pull steps that cannot do their work: the reason stands with its fix in the run's own log, and nothing was unpickled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import shlex
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect import flow

from satflow_ext import scratch
from satflow_ext.models import Registration
from satflow_ext.registration import register
from satflow_ext.versions.pin import ENTRYPOINT, Pin
from tests.flow_runs import ended, log_of
from tests.prefect_clients import stock_client
from tests.webhook import always, endpoint

MEBIBYTE = os.urandom(1024 * 1024)


@flow
def pulled():
    return len(MEBIBYTE)


def kills(signal_number):
    """What unpickling this does to a process: exactly what code objects of another Python do."""

    class Kills:
        def __reduce__(self):
            return exec, (f"import os; os.kill(os.getpid(), {signal_number})",)

    return pickle.dumps(Kills())


async def start(stack, done, step: Pin | None = None, command: str | None = None) -> str:
    """Start a run of a deployment, which pins something else first where a step is given."""
    async with stock_client(stack.endpoints.prefect) as client:
        row = await client.read_deployment(UUID(done.deployment.id))
        if step is not None:
            await client.create_deployment(
                row.flow_id,
                name=row.name,
                entrypoint=ENTRYPOINT,
                pull_steps=step.pull_steps(),
                work_pool_name=row.work_pool_name,
                job_variables=row.job_variables,
            )
        variables = {"command": command} if command else None
        run = await client.create_flow_run_from_deployment(
            row.id, job_variables=variables, idempotency_key=str(uuid4())
        )
    return str(run.id)


@pytest.fixture
def stores(settings_file, closed_port):
    """Stores in the settings file, which flow runs read when they start, and what a run must say of each."""
    with contextlib.ExitStack() as running:
        refusing = running.enter_context(endpoint(always(401)))
        other = running.enter_context(endpoint(always(200, b"another document")))
        urls = {"refusing": refusing, "other": other, "down": f"http://127.0.0.1:{closed_port}"}
        settings_file.write_text("".join(f"[stores.{each}]\nurl = '{url}/{{digest}}'\n" for each, url in urls.items()))
        yield {
            "nowhere": ("No store is named 'nowhere' in the settings.", "Add [stores.nowhere] to satflow.toml."),
            "refusing": ("refused the credential (401)", "Check the store's headers."),
            "other": ("returned other data for sha256:", "Check any proxy in front of it."),
            "down": ("does not answer", "Check that it is running."),
        }


def test_whatever_fails_stands_in_the_runs_own_log(stack, packed, registered, name, stores):
    before = scratch_folders(stack)
    made = {each: registered(pulled, name=f"{name}-{each}") for each in (*stores, "full")}
    alien = another_python_s(packed(pulled))
    wanted = Registration(name=f"{name}-alien")
    made["alien"] = asyncio.run(register(alien, wanted, stack.endpoints, stack.settings))

    async def start_all():
        steps = {each: Pin(each, made[each].manifest) for each in stores}
        runs = {each: await start(stack, made[each], step) for each, step in steps.items()}
        runs["alien"] = await start(stack, made["alien"])
        runs["full"] = await start(stack, made["full"], command=with_little_room(stack))
        return runs

    expected = {
        **stores,
        "alien": ("packed by CPython 3.99.1", "Run the Prefect worker with the same Python"),
        "full": ("There is no room left in", "Make room there"),
    }
    for each, run_id in asyncio.run(start_all()).items():
        detail = ended(stack, run_id)
        log = log_of(stack, run_id)
        assert detail.run.state_type == "FAILED", (each, detail.run, log)
        for words in expected[each]:
            assert words in log, (each, log)
            assert words in detail.run.state_message, (each, detail.run)
        assert expected[each][0] in detail.failure.cause, each
    assert not scratch_folders(stack) - before


def scratch_folders(stack) -> set[Path]:
    return set((stack.settings.runtime_dir / "scratch").glob("run-*"))


def another_python_s(flow_packed):
    """As a Python whose pickles crash this one would have packed it. Were it unpickled, the process would be gone."""
    body = kills(11)
    Path(flow_packed.body).write_bytes(body)
    environment = flow_packed.environment.model_copy(update={"python": "3.99.1", "magic": "ffff0d0a"})
    return flow_packed.model_copy(update={"size": len(body), "environment": environment})


def with_little_room(stack) -> str:
    """Runs the engine where the folder of its content is a file system of 256 KiB, of its own and gone with it."""
    folder = scratch.make_scratch_folder(stack.settings, "pack").parent
    for left in folder.glob("pack-*"):
        left.rmdir()
    small = f"mount -t tmpfs -o size=256k tmpfs {shlex.quote(str(folder))}"
    engine = f"exec {shlex.quote(sys.executable)} -m prefect.engine"
    return f"unshare --mount sh -c {shlex.quote(f'{small} && {engine}')}"
