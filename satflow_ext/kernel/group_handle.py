"""`satflow_ext.run_many` and `satflow_ext.get_run_group`: runs of a flow with different parameters, and their results."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from satflow_ext.display.group_view import GroupView, PlanView
from satflow_ext.errors import InvalidParameter, RunFailed, SatflowError
from satflow_ext.kernel.kernel_session import get_shell, open_session, run_coroutine
from satflow_ext.kernel.run_handle import ReportInterrupt, encode_parameters, refuse_executed_notebook
from satflow_ext.models import (
    MAX_POINTS,
    JsonObject,
    PointState,
    RunGroup,
    RunGroupRequest,
    RunGroupState,
    RunPoint,
    failed_points,
)
from satflow_ext.settings import load_settings
from satflow_ext.validation_errors import convert_first_error

if TYPE_CHECKING:
    from pydantic import JsonValue

    from satflow_ext.kernel.live_run import LiveGroup
    from satflow_ext.results.document import VerifiedResult
    from satflow_ext.session import Session

DOWNLOADS = 8
"""Number of results that are downloaded at a time."""


def run_many(
    deployment: str,
    /,
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    parameters: Mapping[str, Any] | None = None,
    concurrency: int = 4,
    name: str | None = None,
    only: str = "missing",
    newest_first: bool = False,
    dry_run: bool = False,
) -> RunGroupHandle | PlanView:
    """Run a registered flow once for each combination of parameters, a few runs at a time.

    The runs do not depend on this process: they continue when the notebook is closed (docs/backfills.md).

    Args:
        deployment: `flow/deployment`, the deployment's name, or its id.
        over: the values of each varied parameter, of which all combinations run: `{"day": days, "region": ["a", "b"]}`. Values
            are any iterable, such as an index of pandas, or text as on the command line, such as `"2026-01-01..2026-01-31"`. A
            list of mappings instead contains the parameters of each run.
        parameters: parameters that are the same for all runs.
        concurrency: the number of runs that may execute at a time; the limits of deployment, work pool and machine apply as well.
        name: the name of the group. With the name of an existing one, that group is continued. A new group is created by default.
        only: the points that run if the group exists: `missing` (new, cancelled or deleted), `failed` (these and the failed ones)
            or `all`. Points that wait or run at the moment never start again.
        newest_first: start with the last point instead of the first.
        dry_run: start nothing, and return the number and the parameters of the runs that would start.

    Returns:
        A handle of the group, which shows its progress in the notebook; with `dry_run` a table.

    Raises:
        DeploymentNotFound: no deployment matches, or more than one.
        InvalidParameter: a value does not fit the flow's signature; the message names the point. No run was started.
        ParametersTooLarge: there are more than 10,000 points, or the parameters of one are larger than Prefect accepts.
        RunGroupTaken: the group of that name belongs to another deployment.
    """
    fields: dict[str, Any] = {
        "deployment": deployment,
        "parameters": encode_parameters(parameters or {}),
        "concurrency": concurrency,
        "name": name,
        "only": only,
        "newest_first": newest_first,
    }
    return start_group(_make_request({**fields, **_encode_over(over)}), dry_run=dry_run)


def start_group(
    request: RunGroupRequest, texts: Mapping[str, str] | None = None, *, dry_run: bool = False
) -> RunGroupHandle | PlanView:
    """Start a run group, or only describe it, as `run_many` does.

    Args:
        request: the request.
        texts: parameters that are the same for all runs, as text.
        dry_run: start nothing.
    """
    refuse_executed_notebook()
    session = open_session(load_settings())
    if dry_run:
        return PlanView(run_coroutine(session.run_groups.plan(request, texts)))
    return RunGroupHandle(run_coroutine(session.run_groups.start(request, texts)))


def get_run_group(name: str) -> RunGroupHandle:
    """Return a handle of a run group that was started on this machine.

    Args:
        name: the group's name or id.

    Raises:
        RunGroupNotFound: this machine has no such group for the Prefect API in use.
    """
    session = open_session(load_settings())
    return RunGroupHandle(run_coroutine(session.run_groups.read_group(name, every_run=True)))


class RunGroupHandle:
    """A run group. In a notebook, a cell that ends with it shows its progress until all runs have ended.

    The group does not depend on the handle: it continues if the handle is deleted or a wait is interrupted.

    Args:
        group: the group.
    """

    def __init__(self, group: RunGroup) -> None:
        self._group = group
        self._live: LiveGroup | None = None

    @property
    def id(self) -> str:
        """The id of the group."""
        return self._group.id

    @property
    def name(self) -> str:
        """The name of the group, which is also a tag of its runs: `group:NAME`."""
        return self._group.name

    @property
    def deployment(self) -> str:
        """`flow/deployment`."""
        return f"{self._group.flow_name}/{self._group.deployment_name}"

    @property
    def state(self) -> RunGroupState:
        """`running`, `cancelling`, `stopped` (see `problem`), or, at the end, `completed`, `failed` or `cancelled`."""
        return self._read().state

    @property
    def counts(self) -> dict[PointState, int]:
        """The number of points in each state."""
        return self._read().counts

    @property
    def problem(self) -> str | None:
        """The reason why the group does not continue at the moment, None if it does."""
        return self._read().problem

    @property
    def points(self) -> tuple[RunPoint, ...]:
        """All points, with the parameters, the state and the id of their latest run."""
        self._read(every_run=True)
        return self._list_points()

    @property
    def failed(self) -> tuple[RunPoint, ...]:
        """The points whose run failed or crashed, or that Prefect refused; `message` is the reason."""
        return failed_points(self.points)

    def wait(self, timeout: float | None = None) -> RunGroupHandle:
        """Wait until all runs have ended, whether or not they completed, and return this handle.

        Args:
            timeout: maximum seconds to wait (default: no limit).

        Raises:
            TimeoutError: they have not ended in time. They continue.
            RunFailed: the group was stopped, for example because its deployment was deleted.
        """
        with ReportInterrupt("Run group", self.name, "get_run_group"):
            run_coroutine(self._wait_in_time(self._open_session(), timeout))
        if self._live is not None:
            self._live.wait_until_complete()
        return self

    def results(self, timeout: float | None = None, *, partial: bool = False) -> Any:
        """Wait until all runs have ended, and return a table of parameters, states and results, one row for each point.

        Args:
            timeout: maximum seconds to wait (default: no limit).
            partial: do not wait, and return the results so far.

        Returns:
            A DataFrame of pandas, or a list of dicts if pandas is not installed. The columns are the parameters, and `state`,
            `duration` (in seconds), `run_id`, `result` and `error`, which contains the reason why the result is missing. A
            parameter with one of these names has the column `parameters.NAME`.

        Raises:
            TimeoutError: they have not ended in time. They continue.
        """
        if not partial:
            self.wait(timeout)
        session, points = self._open_session(), self.points
        found = run_coroutine(_download_results(session, points))
        return _make_table([_make_row(*each) for each in zip(points, found, strict=True)])

    def retry_failed(self) -> RunGroupHandle:
        """Start new runs of the failed points, with the deployment as it is registered now, and return this handle."""
        self._group = run_coroutine(self._open_session().run_groups.run_failed_again(self.id))
        return self

    def cancel(self) -> RunGroupHandle:
        """Cancel all runs that have not ended and all points that have not started, and return this handle."""
        self._group = run_coroutine(self._open_session().run_groups.cancel(self.id))
        return self

    def __repr__(self) -> str:
        completed = self._group.counts.get("COMPLETED", 0)
        return f"<run group {self.name} of {self.deployment}: {completed} of {self._group.total} completed>"

    def _ipython_display_(self) -> None:
        """Show the group. In a notebook, the display is updated until all runs have ended."""
        from IPython.display import display

        group = self._read()
        if not group.is_active or getattr(get_shell(), "kernel", None) is None:
            display(GroupView(group, self.points))  # type: ignore[no-untyped-call]
            return
        if self._live is None or not self._live.is_active:
            from satflow_ext.kernel.live_run import LiveGroup

            self._live = LiveGroup(self._open_session(), group)
        self._live.show()

    def _open_session(self) -> Session:
        return open_session(load_settings())

    def _read(self, *, every_run: bool = False) -> RunGroup:
        self._group = run_coroutine(self._open_session().run_groups.read_group(self.id, every_run=every_run))
        return self._group

    def _list_points(self) -> tuple[RunPoint, ...]:
        return run_coroutine(self._open_session().run_groups.read_points(self.id, limit=MAX_POINTS))

    async def _wait_in_time(self, session: Session, timeout: float | None) -> None:
        try:
            await asyncio.wait_for(self._wait_for_end(session), timeout)
        except asyncio.TimeoutError:  # before Python 3.11 not the built-in exception
            raise TimeoutError(
                f"Run group {self.name} has not ended after {timeout:g} seconds. It continues."
            ) from None

    async def _wait_for_end(self, session: Session) -> None:
        self._group = await session.run_groups.wait_for_end(self.id)
        if self._group.state == "stopped":
            raise RunFailed(f"Run group {self.name} was stopped: {self._group.problem}")


def _make_request(fields: Mapping[str, Any]) -> RunGroupRequest:
    try:
        return RunGroupRequest.model_validate(fields)
    except ValidationError as error:
        raise convert_first_error(error) from None


def _encode_over(over: object) -> dict[str, Any]:
    """Convert the values of varied parameters to JSON: `over` for combinations, `points` for a list of points."""
    if isinstance(over, Mapping):
        return {"over": {name: _encode_values(name, values) for name, values in over.items()}}
    if isinstance(over, str) or not isinstance(over, Iterable):
        raise InvalidParameter(
            f"`over` is of type {type(over).__name__}.",
            fix='Pass a mapping such as {"day": days}, or a list of mappings.',
            field="over",
        )
    points = list(islice(over, MAX_POINTS + 1))
    for number, point in enumerate(points, 1):
        if not isinstance(point, Mapping):
            raise InvalidParameter(
                f"Point {number} is of type {type(point).__name__}.",
                fix='Each point is a mapping such as {"day": day}.',
                field="points",
            )
    return {"points": [_encode_point(number, point) for number, point in enumerate(points, 1)]}


def _encode_point(number: int, point: Mapping[str, Any]) -> JsonObject:
    try:
        return encode_parameters(point)
    except InvalidParameter as error:
        raise InvalidParameter(f"Point {number}: {error.message}", fix=error.fix, field=error.field) from None


def _encode_values(name: str, values: object) -> str | list[JsonValue]:
    if isinstance(values, str):
        return values
    if not isinstance(values, Iterable) or isinstance(values, Mapping | bytes):
        raise InvalidParameter(
            f"The values of parameter {name!r} are of type {type(values).__name__}.",
            fix="Pass a list, or put a value that is the same for all runs into `parameters`.",
            field=f"over.{name}",
        )
    some = islice(values, MAX_POINTS + 1)  # one more than allowed, which is refused, as the iterable may be endless
    return [encode_parameters({name: value})[name] for value in some]


async def _download_results(
    session: Session, points: tuple[RunPoint, ...]
) -> list[VerifiedResult | SatflowError | None]:
    """Download the result of each completed point, or return the reason why that failed."""
    limit = asyncio.Semaphore(DOWNLOADS)

    async def download(point: RunPoint) -> VerifiedResult | SatflowError | None:
        if point.state != "COMPLETED" or point.run_id is None:
            return None
        try:
            async with limit:
                return await session.runs.download_result(point.run_id)
        except SatflowError as error:
            return error

    return list(await asyncio.gather(*map(download, points)))


def _make_row(point: RunPoint, found: VerifiedResult | SatflowError | None) -> dict[str, Any]:
    result, error = _read_result(found)
    outcome = {
        "state": point.state,
        "duration": point.duration,
        "run_id": point.run_id,
        "result": result,
        "error": error or point.message,
    }
    named = {f"parameters.{name}" if name in outcome else name: value for name, value in point.parameters.items()}
    return {**named, **outcome}


def _read_result(found: VerifiedResult | SatflowError | None) -> tuple[Any, str | None]:
    """Return a value, and the reason if there is none."""
    if isinstance(found, SatflowError):
        return None, str(found)
    try:
        return (None if found is None else found.read_value()), None
    except SatflowError as error:
        return None, str(error)


def _make_table(rows: list[dict[str, Any]]) -> Any:
    try:
        import pandas as pd
    except ImportError:
        return rows
    names = dict.fromkeys(name for row in rows for name in row)
    # As objects, because a list or an array as a result must not become several rows. Numbers get their own type again.
    columns = {name: pd.Series([row.get(name) for row in rows], dtype=object).infer_objects() for name in names}
    return pd.DataFrame(columns)
