"""Failed runs that are executed again, as the same run, and which of their tasks are not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prefect import flow, get_run_logger, task

from satflow_ext import runs
from satflow_ext.errors import CannotRetry
from satflow_ext.runs.observers import SharedFollowers
from satflow_ext.session import OpenConnection, Session
from tests.flow_runs import ended, log_of, start_run
from tests.satflow_command import satflow

if TYPE_CHECKING:
    from satflow_ext.endpoints import PrefectApi
    from tests.local_stack import Stack


def count(folder: str, name: str) -> None:
    with (Path(folder) / name).open("a") as file:
        file.write("x")


@task
def plain(folder: str) -> int:
    count(folder, "plain")
    return 1


@task(persist_result=True)
def persisted(folder: str) -> int:
    count(folder, "persisted")
    return 2


@task
def fails_without_file(folder: str) -> int:
    count(folder, "fails")
    if not (Path(folder) / "fixed").exists():
        raise ValueError("not fixed yet")
    return 3


@flow
def repaired(folder: str) -> list[int]:
    get_run_logger().info("attempt")
    return [plain(folder), persisted(folder), fails_without_file(folder)]


def executions(folder: Path) -> dict[str, int]:
    return {name: len((folder / name).read_text()) for name in ("plain", "persisted", "fails")}


def test_a_failed_run_is_executed_again_as_the_same_run(stack: Stack, registered, tmp_path: Path) -> None:
    done = registered(repaired)
    run_id = start_run(stack, done.deployment.id, folder=str(tmp_path))
    assert ended(stack, run_id).run.state_type == "FAILED"
    (tmp_path / "fixed").touch()
    followed = asyncio.run(_follow_twice(stack, run_id))
    assert followed == [1, 2], "the log continues"
    session = Session(OpenConnection(stack.settings, stack.endpoints))
    assert ended(stack, run_id).run.state_type == "COMPLETED"
    found = asyncio.run(session.runs.download_result(run_id))
    assert found is not None
    assert found.read_value() == [1, 2, 3]
    assert executions(tmp_path) == {"plain": 2, "persisted": 1, "fails": 2}
    with pytest.raises(CannotRetry, match="has completed; only failed"):
        asyncio.run(session.runs.retry_run(run_id))


async def _follow_twice(stack: Stack, run_id: str) -> list[int]:
    """Follow the log to its end, retry the run, and follow it again; return the numbers of attempts in both."""

    async def locate() -> PrefectApi:
        return stack.endpoints.prefect

    followers = SharedFollowers(locate, stack.settings)
    found = [await _count_attempts(followers, run_id)]
    await runs.retry_run(stack.endpoints.prefect, run_id)
    found.append(await _count_attempts(followers, run_id))
    await followers.close()
    return found


async def _count_attempts(followers: SharedFollowers, run_id: str) -> int:
    lines: set[str] = set()
    async with followers.follow_run(run_id) as book:
        async for batch in book.read_batches(None):
            lines |= {line.id for line in batch.lines if line.message == "attempt"}
    return len(lines)


def test_from_the_terminal_with_all_results_persisted(stack: Stack, registered, tmp_path: Path) -> None:
    done = registered(repaired, infrastructure={"env": {"PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true"}})
    run_id = start_run(stack, done.deployment.id, folder=str(tmp_path))
    ended(stack, run_id)
    refused = satflow("retry", "no-such-run")
    assert (refused.returncode, "No flow run has the id or name 'no-such-run'." in refused.stderr) == (1, True)
    (tmp_path / "fixed").touch()
    retried = satflow("retry", run_id, "--follow")
    assert retried.returncode == 0, retried.stderr
    assert "is executed again" in retried.stdout
    assert executions(tmp_path) == {"plain": 1, "persisted": 1, "fails": 2}
    assert "Finished in state Cached" in log_of(stack, run_id)
