"""`satflow_ext.run` and `satflow_ext.get_run`: flow runs from a notebook or a script, and their results."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic_core import PydanticSerializationError, to_jsonable_python

from satflow_ext.display.run_view import RunView, full_name, state_text, time_and_level
from satflow_ext.errors import BadRequest, InvalidParameter, RunFailed
from satflow_ext.kernel.api import EXECUTING
from satflow_ext.kernel.kernel_session import get_shell, open_session, run_coroutine
from satflow_ext.models import TERMINAL_STATES, JsonObject, Run, RunDetail, StateType, TaskRun
from satflow_ext.settings import load_settings

if TYPE_CHECKING:
    from pydantic import JsonValue

    from satflow_ext.kernel.live_run import LiveRun
    from satflow_ext.results.document import VerifiedResult
    from satflow_ext.session import Session


def run(deployment: str, /, **parameters: Any) -> RunHandle:
    """Start a run of a registered flow now.

    Args:
        deployment: `flow/deployment`, the deployment's name, or its id.
        parameters: values for the flow's parameters; those of the deployment are used for the others. A value is validated and
            converted as when a run is started from the form.

    Returns:
        A handle of the run, which shows its progress in the notebook.

    Raises:
        DeploymentNotFound: no deployment matches, or more than one.
        InvalidParameter: a value does not fit the flow's signature, or a required one is missing. No run was started.
    """
    return start_run(deployment, parameters=encode_parameters(parameters))


def start_run(
    deployment: str, *, parameters: JsonObject | None = None, texts: Mapping[str, str] | None = None
) -> RunHandle:
    """Start a run with parameters that are JSON or text, as `run` does."""
    refuse_executed_notebook()
    session = open_session(load_settings())
    return RunHandle(run_coroutine(session.run_deployment(deployment, parameters, texts)))


def refuse_executed_notebook() -> None:
    """Refuse to start runs while `satflow register` executes the notebook.

    Raises:
        BadRequest: it does.
    """
    if os.environ.get(EXECUTING):
        raise BadRequest(
            "`satflow register`, which executes this notebook, starts no runs.",
            fix="Put %%skip_registering at the top of this cell.",
        )


def get_run(name: str) -> RunHandle:
    """Return a handle of an existing flow run.

    Args:
        name: the run's id or name, or a deployment (`flow/deployment`, its name or its id), of which the latest run is meant.

    Raises:
        RunNotFound: no run and no deployment matches, or the deployment has no run.
    """
    return RunHandle(run_coroutine(open_session(load_settings()).find_run(name)))


class RunHandle:
    """A flow run. In a notebook, a cell that ends with it shows its state, the progress of its tasks and its last log lines.

    The run does not depend on the handle: it continues if the handle is deleted or a wait is interrupted.

    Args:
        started: the run.
    """

    def __init__(self, started: Run) -> None:
        self._run = started
        self._live: LiveRun | None = None

    @property
    def id(self) -> str:
        """The id of the run in Prefect."""
        return self._run.id

    @property
    def name(self) -> str:
        """The name of the run in Prefect."""
        return self._run.name

    @property
    def deployment(self) -> str:
        """`flow/deployment`."""
        return full_name(self._run)

    @property
    def parameters(self) -> JsonObject:
        """The parameters of the run."""
        return self._run.parameters

    @property
    def state(self) -> StateType:
        """The current type of the run's state, such as `RUNNING` or `COMPLETED`. Read from Prefect until the run has ended."""
        if not self._has_ended:
            self._run = run_coroutine(self._open_session().runs.read_run(self.id))
        return self._run.state_type

    @property
    def tasks(self) -> tuple[TaskRun, ...]:
        """The task runs so far, oldest first. Read from Prefect."""
        return run_coroutine(self._open_session().runs.list_task_runs(self.id))

    def wait(self, timeout: float | None = None) -> RunHandle:
        """Wait until the run has ended, whether or not it completed, and return this handle.

        Args:
            timeout: maximum seconds to wait (default: no limit).

        Raises:
            TimeoutError: the run has not ended in time. It continues.
        """
        if not self._has_ended:
            with ReportInterrupt("Run", self.name, "get_run"):
                run_coroutine(self._wait_in_time(self._open_session(), timeout))
        if self._live is not None:
            self._live.wait_until_complete()
        return self

    def result(self, timeout: float | None = None) -> Any:
        """Wait until the run has ended, and return what the flow returned.

        Args:
            timeout: maximum seconds to wait for its end (default: no limit).

        Raises:
            RunFailed: the run failed, crashed or was cancelled; the message contains the reason.
            ResultMissing: the result was not stored, or was removed from the store.
            NotTrusted: it is a pickle, and no key that is trusted here signed it. Nothing was unpickled.
            ContentRefused: it was changed after the run. Nothing was unpickled.
            TimeoutError: the run has not ended in time. It continues.
        """
        self.wait(timeout)
        return _read_value(run_coroutine(self._download_result(self._open_session())))

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for the result without blocking the event loop: `await run`."""
        return self._await_result().__await__()

    def logs(self) -> LogText:
        """Return the run's log so far."""
        return LogText(run_coroutine(self._read_log(self._open_session())))

    def follow(self) -> RunHandle:
        """Print the log lines as they arrive until the run has ended, and return this handle. An interrupt ends only this."""
        if not self._has_ended:
            with ReportInterrupt("Run", self.name, "get_run"):
                run_coroutine(self._print_log(self._open_session()))
            sys.stdout.write(f"{state_text(self._run)}\n")
        return self

    def cancel(self) -> RunHandle:
        """Cancel the run, and return this handle. A run that has already ended does not change."""
        self._run = run_coroutine(self._open_session().runs.cancel_run(self.id))
        return self

    def retry(self) -> RunHandle:
        """Execute a failed, crashed or cancelled run again, as the same run, and return this handle.

        The version that is live now is executed. Tasks whose results Prefect has persisted are not executed again.

        Raises:
            CannotRetry: the run has not ended, has completed, or does not belong to a deployment.
        """
        self._run = run_coroutine(self._open_session().runs.retry_run(self.id))
        return self

    def __repr__(self) -> str:
        return f"<run {self.name} of {self.deployment}: {state_text(self._run)}>"

    def _ipython_display_(self) -> None:
        """Show the run. In a notebook, the display is updated until the run ends."""
        from IPython.display import display

        session = self._open_session()
        detail = self._read_detail()
        if self._has_ended or getattr(get_shell(), "kernel", None) is None:
            lines = () if self._live is None else self._live.lines
            display(RunView(detail, self.tasks, lines))  # type: ignore[no-untyped-call]
            return
        if self._live is None or not self._live.is_active:
            from satflow_ext.kernel.live_run import LiveRun

            self._live = LiveRun(session, detail, self.tasks)
        self._live.show()

    @property
    def _has_ended(self) -> bool:
        return self._run.state_type in TERMINAL_STATES

    def _open_session(self) -> Session:
        return open_session(load_settings())

    def _read_detail(self) -> RunDetail:
        detail = run_coroutine(self._open_session().runs.read_detail(self.id))
        self._run = detail.run
        return detail

    async def _wait_in_time(self, session: Session, timeout: float | None) -> None:
        try:
            await asyncio.wait_for(self._wait_for_end(session), timeout)
        except asyncio.TimeoutError:  # before Python 3.11 not the built-in exception
            raise TimeoutError(f"Run {self.name} has not ended after {timeout:g} seconds. It continues.") from None

    async def _wait_for_end(self, session: Session) -> None:
        self._run = await session.runs.wait_for_end(self.id)

    async def _await_result(self) -> Any:
        session = await asyncio.to_thread(self._open_session)
        if not self._has_ended:
            await self._wait_for_end(session)
        return _read_value(await self._download_result(session))

    async def _download_result(self, session: Session) -> VerifiedResult | None:
        """Download the result of the ended run.

        Raises:
            RunFailed: it did not complete.
        """
        if self._run.state_type != "COMPLETED":
            raise await self._describe_failure(session)
        return await session.runs.download_result(self.id)

    async def _describe_failure(self, session: Session) -> RunFailed:
        detail = await session.runs.read_detail(self.id)
        words = {"CANCELLED": "was cancelled", "CRASHED": "crashed"}.get(detail.run.state_type, "failed")
        cause = f": {detail.failure.cause.rstrip('.')}" if detail.failure else ""
        return RunFailed(
            f"Run {self.name} of {self.deployment} {words}{cause}.",
            fix=f"See run.logs(), or `satflow logs {self.id}`.",
        )

    async def _read_log(self, session: Session) -> str:
        return "".join([piece async for piece in session.runs.stream_whole_log(self.id)])

    async def _print_log(self, session: Session) -> None:
        async with aclosing(session.runs.follow_log(self.id)) as batches:
            async for batch in batches:
                for line in batch.lines:
                    sys.stdout.write(f"{time_and_level(line)} {line.message}\n")
                sys.stdout.flush()
        self._run = await session.runs.read_run(self.id)


class LogText(str):
    """The text of a log, which is displayed as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class ReportInterrupt:
    """A context manager that reports, after an interrupt, that the runs continue.

    Args:
        noun: noun for them at the beginning of a sentence.
        name: their name.
        function: the function that returns their handle.
    """

    def __init__(self, noun: str, name: str, function: str) -> None:
        self._noun, self._name, self._function = noun, name, function

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt:
            sys.stderr.write(
                f"{self._noun} {self._name} was not cancelled and continues. "
                f'To get it again: satflow_ext.{self._function}("{self._name}"); to stop it: .cancel()\n'
            )
            if get_shell() is None and load_settings().prefect_api_url is None:
                sys.stderr.write(
                    "The local stack may end with this process: `satflow up` keeps it and its runs running.\n"
                )


def encode_parameters(parameters: Mapping[str, Any]) -> JsonObject:
    """Convert Python objects to the JSON in which parameters are sent: dates become text, models become objects.

    Raises:
        InvalidParameter: a value has no JSON equivalent.
    """
    return {name: _encode_parameter(name, value) for name, value in parameters.items()}


def _encode_parameter(name: str, value: Any) -> JsonValue:
    if _has_secret(value):
        raise InvalidParameter(
            f"Parameter {name!r} is or contains a secret, and parameters are stored readably in Prefect.",
            fix="Register the flow with `secrets=[NAME]`, and read the value in the flow.",
            field=f"parameters.{name}",
        )
    try:
        encoded: JsonValue = to_jsonable_python(value, inf_nan_mode="constants", fallback=_to_list)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError):
        raise InvalidParameter(
            f"Parameter {name!r} is of type {type(value).__name__}, which has no JSON equivalent.",
            fix="Pass plain values, or the name of a file or table with the data.",
            field=f"parameters.{name}",
        ) from None
    return encoded


def _has_secret(value: Any) -> bool:
    """Return whether a value contains a secret of pydantic, which JSON would replace by asterisks."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        return any(map(_has_secret, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_has_secret, value))
    return isinstance(value, SecretStr | SecretBytes)


def _to_list(value: Any) -> Any:
    """Return the plain values of a scalar, array or series of NumPy or pandas."""
    if not hasattr(value, "tolist"):
        raise TypeError
    return value.tolist()


def _read_value(found: VerifiedResult | None) -> Any:
    return None if found is None else found.read_value()
