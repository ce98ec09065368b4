"""Hooks of flow runs that crashed or were canceled, called in a process of their own (docs/decisions/0005).

A Prefect worker calls these hooks, because the process of the run has ended. It never unpickles a flow: the pull step gives it a
placeholder, whose hooks start this module with the interpreter and the environment of the run, and wait for it.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from satflow_ext.environments.engine_start import activation_variables, python_path
from satflow_ext.errors import SatflowError
from satflow_ext.models import HookKind
from satflow_ext.own_module import build_module_command, build_module_environment
from satflow_ext.runtime import this_run
from satflow_ext.versions.pin import RECREATE_MODULE

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State


def create_placeholder(hooks: Collection[HookKind]) -> Flow[..., Any]:
    """Create the flow that a Prefect worker loads: it does nothing, and its hooks call those of the real flow.

    Args:
        hooks: the kinds of hooks that the real flow has.
    """
    from prefect import Flow

    def do_nothing() -> None:
        """Stand for the flow."""

    options: dict[str, Any] = {kind: [call_in_own_process] for kind in hooks}
    return Flow(fn=do_nothing, name="elsewhere", **options)


def call_in_own_process(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:
    """Call the hooks of a flow run in a new process, and wait until it ends. Called by a Prefect worker, in a thread.

    Raises:
        SatflowError: the process failed.
    """
    from prefect.client.orchestration import get_client

    assert flow_run.deployment_id is not None
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment(flow_run.deployment_id)
    job_variables = {**(deployment.job_variables or {}), **(flow_run.job_variables or {})}
    environment = {
        **build_module_environment(),
        **{name: str(value) for name, value in (job_variables.get("env") or {}).items() if value is not None},
        this_run.RUN_ID: str(flow_run.id),
        this_run.HOOKS_STATE: state.model_dump_json(exclude={"data"}),
    }
    interpreter, activation = find_interpreter(job_variables.get("command"))
    command = build_module_command(__name__, interpreter)
    with tempfile.TemporaryDirectory(prefix="satflow-hooks-") as folder:
        done = subprocess.run(
            command, env={**environment, **activation}, cwd=folder, stdin=subprocess.DEVNULL, check=False
        )
    if done.returncode:
        raise SatflowError(f"The process that calls the hooks of the flow ended with exit status {done.returncode}.")


def find_interpreter(command: str | None) -> tuple[str, Mapping[str, str]]:
    """Return the interpreter of a flow run, and the environment variables of its virtual environment.

    Args:
        command: the command of the run, None if the work pool chooses it.
    """
    words = shlex.split(command or "")
    if len(words) < 3:
        return sys.executable, {}
    if words[2] == RECREATE_MODULE and os.path.exists(python_path(words[-1])):
        return python_path(words[-1]), activation_variables(words[-1])
    return words[0], {}


def main() -> None:
    """Load the flow of this flow run, and call its hooks for the state."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import State

    state: State[Any] = State.model_validate_json(os.environ[this_run.HOOKS_STATE])
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(UUID(os.environ[this_run.RUN_ID]))
    flow = asyncio.run(_load_flow(flow_run))
    for hook in (flow.on_crashed_hooks if state.is_crashed() else flow.on_cancellation_hooks) or []:
        _call_hook(hook, flow, flow_run, state)
    this_run.flush_log()


async def _load_flow(flow_run: FlowRun) -> Flow[..., Any]:
    from prefect.flows import load_flow_from_flow_run

    return await load_flow_from_flow_run(flow_run, use_placeholder_flow=False)


def _call_hook(hook: Any, flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:
    """Call a hook outside of an event loop, as in a flow run; an exception is logged, and the next hook is called."""
    logger, name = this_run.get_logger(), getattr(hook, "__name__", repr(hook))
    logger.info(f"Running hook {name!r} in response to entering state {state.name!r}")
    try:
        result = hook(flow, flow_run, state)
        if inspect.isawaitable(result):
            asyncio.run(_await(result))
    except Exception:
        logger.exception(f"Hook {name!r} failed")
    else:
        logger.info(f"Hook {name!r} finished running successfully")


async def _await(result: Any) -> None:
    await result


if __name__ == "__main__":
    main()
