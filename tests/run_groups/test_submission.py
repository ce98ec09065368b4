"""The submission of run groups to a real Prefect server, step by step. No Prefect worker takes the runs; the tests end them."""

from __future__ import annotations

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.states import Completed, Failed, State

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import PrefectUnreachable, RunGroupNotFound, RunGroupsFailed
from satflow_ext.run_groups.database import GroupDatabase
from satflow_ext.run_groups.groups import refresh_group, submit_until_done
from satflow_ext.server.run_groups import RunGroupManager
from satflow_ext.server.runs import RunManager
from satflow_ext.server.stack import StackManager
from satflow_ext.session import OpenConnection, Session
from tests.eventually import eventually_async
from tests.run_groups.submitter import Submitter


@pytest.fixture
def submitter(stack, prefect, tmp_path: Path):
    """Makes groups in a database of the test's own; the API is not treated as local, whose process would submit them."""
    settings = stack.settings.model_copy(update={"state_dir": tmp_path})
    return lambda points=5, **options: Submitter(
        prefect, replace(prefect.api, local=False), settings, points, **options
    )


def test_at_most_the_concurrency_is_submitted_in_the_order_of_the_points(submitter) -> None:
    many = submitter()
    assert many.step().counts == {"SCHEDULED": 3, "WAITING": 2}
    assert many.step().counts == {"SCHEDULED": 3, "WAITING": 2}
    assert many.runs().keys() == {f"{many.row.name} {n}" for n in range(3)}
    first, second, _ = many.live()
    many.end(first, Completed())
    many.end(second, Failed(message="no data"))
    assert many.step().counts == {"COMPLETED": 1, "FAILED": 1, "SCHEDULED": 3}
    for point in many.live():
        many.end(point, Completed())
    ended = many.step()
    assert (ended.state, ended.counts) == ("failed", {"COMPLETED": 4, "FAILED": 1})
    assert [(point.state, point.message) for point in many.points[:2]] == [("COMPLETED", None), ("FAILED", "no data")]
    assert many.database.has_pending()
    many.step()
    assert not many.database.has_pending()


def test_failed_points_run_again_as_new_runs(submitter) -> None:
    many = submitter(3)
    many.step()
    for point, state in zip(many.live(), (Completed(), Failed(), Completed()), strict=True):
        many.end(point, state)
    many.step()
    failed = many.points[1].run_id
    assert many.database.run_failed_again(many.row.id) == 1
    again = many.step()
    assert again.counts == {"COMPLETED": 2, "SCHEDULED": 1}
    assert (many.points[1].attempt, many.points[1].run_id == failed) == (2, False)
    many.end(many.points[1], Completed())
    assert many.step().state == "completed"


def test_a_step_that_was_killed_after_its_request_creates_no_second_run(submitter) -> None:
    many = submitter(2)
    many.step()
    with many.database._open(writes=True) as connection:  # as before the run was recorded
        connection.execute("UPDATE point SET run_id = NULL, state = 'WAITING' WHERE position = 1")
    assert many.step().counts == {"SCHEDULED": 2}
    assert len(many.runs()) == 2


def test_two_submitters_at_once_create_each_run_once(submitter) -> None:
    many = submitter(6)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(many.step) for _ in range(8)]:
            done.result()
    assert many.group.counts == {"SCHEDULED": 3, "WAITING": 3}
    assert len(many.runs()) == 3


def test_cancel_ends_runs_and_starts_no_more(submitter) -> None:
    many = submitter()
    many.step()
    many.database.cancel_group(many.row.id)
    assert many.group.state == "cancelling"
    many.step()
    assert many.step().counts == {"CANCELLED": 5}
    assert many.step().state == "cancelled"
    assert set(many.runs().values()) == {"CANCELLED"}


def test_a_run_that_was_submitted_while_the_group_was_cancelled_is_cancelled(submitter) -> None:
    many = submitter(1)
    (waiting,) = many.points
    many.database.cancel_group(many.row.id)
    assert many.database.record_submitted(many.row.id, waiting, str(uuid4())) is False


def test_a_cancelled_run_that_is_retried_in_prefect_is_not_cancelled_again(submitter) -> None:
    many = submitter(1)
    many.step()
    many.database.cancel_group(many.row.id)
    many.step()
    many.step()
    many.end(many.points[0], State(type="RUNNING"))
    refreshed = asyncio.run(refresh_group(many.database, many.api, many.group, live_only=False))
    assert refreshed.counts == {"RUNNING": 1}
    assert many.step().counts == {"RUNNING": 1}


def test_an_api_that_does_not_answer_is_retried_and_named(submitter, closed_port: int) -> None:
    many = submitter(2)
    with pytest.raises(PrefectUnreachable):
        many.step(PrefectApi(f"http://127.0.0.1:{closed_port}/api"))
    assert "Nothing answers at the Prefect API's address" in (many.group.problem or "")
    assert many.group.state == "running"
    attempts: list[PrefectApi] = []

    async def locate_api() -> PrefectApi:
        attempts.append(PrefectApi(f"http://127.0.0.1:{closed_port}/api") if not attempts else many.api)
        return attempts[-1]

    async def submit_first() -> None:
        task = asyncio.create_task(submit_until_done(many.database, locate_api, many.settings))
        await eventually_async(lambda: many.group.problem is None, "the problem to be solved")
        task.cancel()

    asyncio.run(submit_first())
    assert len(attempts) > 1
    assert many.group.counts == {"SCHEDULED": 2}


def test_a_deployment_that_was_deleted_stops_the_group_until_it_is_registered_again(submitter) -> None:
    many = submitter(4)
    many.step()
    for point in many.live():
        many.end(point, Completed())
    many.prefect.ask(lambda client: client.delete_deployment(UUID(many.row.deployment_id)))
    stopped = many.step()
    assert (stopped.state, stopped.counts) == ("stopped", {"COMPLETED": 3, "WAITING": 1})
    assert f"demo/{many.deployment_name} was deleted" in (stopped.problem or "")
    fresh = many.prefect.deployment(many.deployment_name, work_pool_name="unpolled")
    many.database.run_failed_again(many.row.id)
    assert many.step().counts == {"COMPLETED": 3, "SCHEDULED": 1}
    assert many.group.deployment_id == fresh


def test_a_point_that_the_changed_deployment_does_not_accept_is_refused_and_the_others_run(submitter) -> None:
    many = submitter(4)
    many.step()
    schema = {"type": "object", "properties": {"n": {"type": "string", "enum": ["a"]}}}
    many.prefect.deployment(many.deployment_name, work_pool_name="unpolled")

    async def change(client) -> None:
        flow_id = await client.create_flow_from_name("demo")
        await client.create_deployment(
            flow_id=flow_id, name=many.deployment_name, parameter_openapi_schema=schema, work_pool_name="unpolled"
        )

    many.prefect.ask(change)
    many.end(many.live()[0], Completed())
    assert many.step().counts == {"COMPLETED": 1, "SCHEDULED": 2, "REFUSED": 1}
    assert "Parameter 'n' must be" in (many.points[3].message or "")


def test_the_limit_of_the_deployment_is_respected(submitter) -> None:
    many = submitter(5, concurrency_limit=2)
    assert many.step().counts == {"SCHEDULED": 2, "WAITING": 3}


def test_a_deleted_run_is_reported(submitter) -> None:
    many = submitter(1)
    many.step()
    many.prefect.ask(lambda client: client.delete_flow_run(UUID(many.points[0].run_id)))
    ended = many.step()
    assert (ended.state, ended.counts) == ("cancelled", {"DELETED": 1})


def test_groups_of_another_api_are_not_visible_and_files_are_private(submitter) -> None:
    many = submitter(1)
    with pytest.raises(RunGroupNotFound):
        GroupDatabase(many.settings, PrefectApi("https://other.example/api")).read_group(many.row.id)
    folder = many.settings.state_dir / "run_groups"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes.pop("run_groups") == 0o700
    assert set(modes.values()) == {0o600}


def test_a_database_that_cannot_be_read_is_one_message(tmp_path: Path, stack) -> None:
    settings = stack.settings.model_copy(update={"state_dir": tmp_path})
    (tmp_path / "run_groups").mkdir()
    (tmp_path / "run_groups" / "groups.db").write_bytes(b"not a database" * 100)
    with pytest.raises(RunGroupsFailed, match="run_groups cannot be used: file is not a database"):
        GroupDatabase(settings, PrefectApi("https://a.example/api")).list_groups(1)


def test_a_process_that_waits_for_a_group_of_another_api_submits_it(submitter, stack) -> None:
    many = submitter(1)
    where = replace(stack.endpoints, prefect=many.api, local=False)
    groups = Session(OpenConnection(many.settings, where)).run_groups

    async def wait() -> str:
        waiting = asyncio.create_task(groups.wait_for_end(many.row.name))
        await eventually_async(many.live, "the run to be submitted")
        await asyncio.to_thread(many.end, many.points[0], Completed())
        return (await waiting).state

    assert asyncio.run(wait()) == "completed"


def test_a_jupyter_server_submits_the_groups_of_another_api(submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    many = submitter(2)
    monkeypatch.setenv("PREFECT_API_URL", many.api.url)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", many.api.auth_string or "")
    settings = many.settings.model_copy(update={"prefect_api_url": many.api.url})

    async def serve() -> None:
        stack = StackManager(lambda: settings)
        session = Session(stack)
        manager = RunGroupManager(session, stack, RunManager(session, stack))
        manager.start_submitting()
        await eventually_async(lambda: many.group.counts == {"SCHEDULED": 2}, "the runs to be submitted")
        await manager.close()
        await stack.close()

    asyncio.run(serve())
