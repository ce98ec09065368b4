"""Start a run now, wait for its end, cancel, retry or delete runs in the same way as Prefect's own UI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from satflow_ext.endpoints import PrefectApi
from satflow_ext.errors import CannotCancel, CannotRetry, DeploymentNotFound, SatflowError
from satflow_ext.models import (
    TERMINAL_STATES,
    JsonObject,
    RefusedChange,
    Run,
    RunChangeRequest,
    RunChanges,
    RunRequest,
)
from satflow_ext.prefect_api import PrefectClient, parse_id, prefect_client, replace_not_found
from satflow_ext.prefect_rows import DeploymentRow, FlowRunRow
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.runs.run_rows import describe_runs, is_in_kernel, read_state_type

FIRST_PAUSE = 0.1
"""Seconds between two reads of a run that has just been started: a run of the local stack may end after half a second."""
LAST_PAUSE = 1.0
"""Seconds between two reads of a longer run."""
PARALLEL_CHANGES = 8
"""Number of runs that are changed at the same time: Prefect's server has one writer with SQLite."""


async def start_run(prefect_api: PrefectApi, request: RunRequest) -> Run:
    """Create a flow run of a deployment that starts at once. The same idempotency key returns the same run.

    The client repeats a POST when the response is lost, also if the first one was executed; the key prevents that from
    creating two runs.

    Raises:
        DeploymentNotFound: Prefect has no such deployment.
        InvalidParameter: a value does not fit the flow's signature, or a required one is missing.
        ParametersTooLarge: the parameters are larger than Prefect accepts.
        PrefectFailed: the API did not answer.
    """
    missing = DeploymentNotFound(
        f"No deployment has the id {request.deployment_id!r}.", fix="Register the flow again.", field="deployment_id"
    )
    deployment_id = parse_id(request.deployment_id, missing)
    if request.parameters:
        await asyncio.to_thread(_check_size, request.parameters)
    async with prefect_client(prefect_api) as client:
        with replace_not_found(missing):
            deployment = await client.read_deployment(deployment_id)
            converted = await asyncio.to_thread(check_parameters, deployment, request.parameters)
            flow_run = await client.create_flow_run(
                deployment_id, {name: converted[name] for name in request.parameters}, request.idempotency_key
            )
        (run,) = await describe_runs(client, [flow_run])
    return run


def _check_size(given: JsonObject) -> None:
    from satflow_ext.runs import parameter_checks

    parameter_checks.check_size(given)


def check_parameters(deployment: DeploymentRow, given: JsonObject) -> JsonObject:
    """Check and convert the parameters of a run. Half a megabyte may take seconds, and so may the import of the checks."""
    together = {**deployment.parameters, **given}
    schema = deployment.parameter_openapi_schema or {}
    if not together and not schema.get("required"):
        return {}
    from satflow_ext.runs import parameter_checks

    parameter_checks.check_size(together)
    return parameter_checks.convert_parameters(together, schema)


async def wait_for_end(prefect_api: PrefectApi, run_id: str) -> Run:
    """Wait until a run has ended, and read it. Cancelling the wait does not affect the run.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    pause = FIRST_PAUSE
    async with prefect_client(prefect_api) as client:
        while read_state_type(flow_run := await find_run(client, run_id)) not in TERMINAL_STATES:
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, LAST_PAUSE)
        (run,) = await describe_runs(client, [flow_run])
    return run


async def cancel_run(prefect_api: PrefectApi, run_id: str) -> Run:
    """Cancel a run. A run without a process becomes Cancelled at once, a running one becomes Cancelling first.

    A run that has already ended does not change.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        CannotCancel: a kernel executes the run.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        if read_state_type(flow_run) not in TERMINAL_STATES:
            _check_cancellation(flow_run)
            await client.cancel_flow_run(flow_run.id)
            flow_run = await find_run(client, run_id)
        (run,) = await describe_runs(client, [flow_run])
    return run


async def retry_run(prefect_api: PrefectApi, run_id: str) -> Run:
    """Execute a failed, crashed or cancelled run again, as the same run with the same parameters.

    A Prefect worker executes the version that is live then. Tasks whose results Prefect has persisted are not executed again.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        CannotRetry: the run has not ended, has completed, or does not belong to a deployment.
        PrefectFailed: the API did not answer, or refused it.
    """
    async with prefect_client(prefect_api) as client:
        flow_run = await find_run(client, run_id)
        _check_retry(flow_run)
        await client.schedule_flow_run(flow_run.id)
        (run,) = await describe_runs(client, [await find_run(client, run_id)])
    return run


def _check_cancellation(flow_run: FlowRunRow) -> None:
    if is_in_kernel(flow_run):
        raise CannotCancel(
            f"Run {flow_run.name} was called in a notebook, and Prefect cannot stop a cell.",
            fix="Interrupt the kernel of the notebook.",
        )


def _check_retry(flow_run: FlowRunRow) -> None:
    state = read_state_type(flow_run)
    if flow_run.deployment_id is None:
        raise CannotRetry(
            f"Run {flow_run.name} does not belong to a deployment, so no Prefect worker can execute it again.",
            fix="For a nested run, retry the run that called it.",
        )
    if state not in TERMINAL_STATES:
        raise CannotRetry(f"Run {flow_run.name} has not ended.", fix="Wait for its end, or cancel it first.")
    if state == "COMPLETED":
        raise CannotRetry(
            f"Run {flow_run.name} has completed; only failed, crashed and cancelled runs are retried.",
            fix="Start a new run with the same parameters.",
        )


async def change_runs(prefect_api: PrefectApi, request: RunChangeRequest) -> RunChanges:
    """Cancel, retry or delete several runs. A run that cannot be changed is reported, and does not affect the others.

    Raises:
        PrefectFailed: the API could not be reached.
    """
    slots = asyncio.Semaphore(PARALLEL_CHANGES)
    async with prefect_client(prefect_api) as client:

        async def change(run_id: str) -> str | None:
            async with slots:
                return await _change_or_explain(client, run_id, request.action)

        ids = [*dict.fromkeys(request.ids)]
        reasons = dict(zip(ids, await asyncio.gather(*map(change, ids)), strict=True))
    return RunChanges(
        changed=tuple(run_id for run_id, reason in reasons.items() if reason is None),
        refused=tuple(RefusedChange(id=run_id, reason=reason) for run_id, reason in reasons.items() if reason),
    )


async def _change_or_explain(client: PrefectClient, run_id: str, action: str) -> str | None:
    """Change a run. Return None, or the reason why it was not changed."""
    try:
        return await CHANGES[action](client, await find_run(client, run_id))
    except SatflowError as error:
        return error.message


async def _cancel(client: PrefectClient, flow_run: FlowRunRow) -> str | None:
    if read_state_type(flow_run) in TERMINAL_STATES:
        return f"Run {flow_run.name} had already ended."
    _check_cancellation(flow_run)
    await client.cancel_flow_run(flow_run.id)
    return await _explain_rejection(client, flow_run)


async def _retry(client: PrefectClient, flow_run: FlowRunRow) -> str | None:
    _check_retry(flow_run)
    await client.schedule_flow_run(flow_run.id)
    return await _explain_rejection(client, flow_run)


async def _explain_rejection(client: PrefectClient, before: FlowRunRow) -> str | None:
    """Return None if a run is in another state than before, else a reason: Prefect accepts requests whose state it rejects."""
    now = await find_run(client, str(before.id))
    if read_state_type(now) != read_state_type(before):
        return None
    return f"Prefect left run {now.name} in the state {now.state_name}."


async def _delete(client: PrefectClient, flow_run: FlowRunRow) -> str | None:
    if read_state_type(flow_run) not in TERMINAL_STATES | {"SCHEDULED"}:
        return f"Run {flow_run.name} has not ended. Cancel it first: its process would go on."
    await client.delete_flow_run(flow_run.id)
    return None


Change: TypeAlias = Callable[[PrefectClient, FlowRunRow], Awaitable["str | None"]]
CHANGES: dict[str, Change] = {"cancel": _cancel, "retry": _retry, "delete": _delete}
"""The changes of several runs, by the actions of a request."""
