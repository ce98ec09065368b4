"""Services of a stack that start together: where one does not start, none of them is left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from satflow_ext.lease.address import make_private_folder
from satflow_ext.settings import Settings
from satflow_ext.stack import service_definitions, service_environment, stack_processes
from satflow_ext.stack.services import StackServices


@pytest.fixture
def settings(tmp_path) -> Iterator[Settings]:
    """Those of a stack without a supervisor; all of its processes end with the test."""
    found = Settings(state_dir=tmp_path / "state", runtime_dir=tmp_path / "run")
    for folder in (found.runtime_dir, found.state_dir, found.state_dir / "logs"):
        make_private_folder(folder)
    yield found
    stack_processes.end_processes(service_environment.stack_mark(found))


@pytest.fixture
def crew(settings) -> StackServices:
    return StackServices(settings, lambda _: None)


def test_nothing_is_left_of_services_of_which_one_cannot_be_started(settings, crew):
    log = service_definitions.log_path(settings, "prefect-worker")
    log.mkdir()  # so that starting the process fails with an OSError

    async def starts() -> None:
        with pytest.raises(OSError, match="prefect-worker"):
            await crew.start_services(["prefect"])
        assert stack_processes.list_processes(service_environment.stack_mark(settings)) == []
        assert crew.build_reports() == ()
        assert crew.credential is None
        await crew.end_services()

    asyncio.run(starts())


def test_nothing_is_left_of_a_store_whose_start_was_called_off(settings, crew):
    async def starts() -> None:
        starting = asyncio.create_task(crew.start_services(["store"]))
        while not stack_processes.list_processes(service_environment.stack_mark(settings)):  # noqa: ASYNC110 - the process tells nobody
            await asyncio.sleep(0.01)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        assert starting.cancelled()
        assert stack_processes.list_processes(service_environment.stack_mark(settings)) == []
        assert crew.store_token is None
        await crew.end_services()

    asyncio.run(starts())
