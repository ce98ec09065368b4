"""`%debug_run RUN` and `satflow_ext.debug_run`: the flow of a failed run, and the inputs of its failed task, in a notebook.

Everything is in one new object, so that no variable of the notebook changes. The version is verified and unpickled as
`load_flow` does, and the inputs as a result is: data first, pickles only from trusted keys (docs/decisions/0039).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, NoReturn

from satflow_ext.errors import BadRequest, ContentRefused, InputNotKept, VariableTaken
from satflow_ext.kernel.flow_discovery import AnyFlow
from satflow_ext.kernel.kernel_session import get_shell, namespace_of, open_session, run_coroutine
from satflow_ext.kernel.load_flow import load_version
from satflow_ext.kernel.reachable_objects import iterate_reachable
from satflow_ext.models import JsonObject, Run, RunDetail
from satflow_ext.results.failed_tasks import FailedTaskRun, UnreadableInput, VerifiedInputs
from satflow_ext.settings import load_settings
from satflow_ext.versions.manifest import Manifest

if TYPE_CHECKING:
    from prefect import Task

    from satflow_ext.session import Session
    from satflow_ext.versions.content_download import CheckedVersion

DEFAULT_VARIABLE = "debug"
_ARGUMENT_FORMS = {
    Parameter.POSITIONAL_ONLY: "{value}",
    Parameter.POSITIONAL_OR_KEYWORD: "{value}",
    Parameter.VAR_POSITIONAL: "*{value}",
    Parameter.KEYWORD_ONLY: "{name}={value}",
    Parameter.VAR_KEYWORD: "**{value}",
}
"""The form of an argument in a call that cannot name all of them. Prefect records a value for each parameter."""
RECORD_PAUSE = 0.5
"""Seconds between two reads of a run whose failed task Prefect has not recorded yet."""
NO_TASK = "No task of this run failed, so the new cell calls the flow."


@dataclass
class DebugRun:
    """A flow run in a notebook.

    Args:
        run: the run.
        flow: the flow of the version that ran.
        parameters: the parameters of the run.
        manifest: the version.
        task: the task that failed; None if none did, or it cannot be loaded.
        task_name: the name of the failed task run.
        inputs: the inputs of the failed task by the names of its parameters, as they were when it failed.
        not_kept: the missing inputs, with the reasons.
        notes: further differences from the run, as sentences.
        variable: its variable in the notebook.
    """

    run: Run
    flow: AnyFlow
    parameters: JsonObject
    manifest: Manifest
    task: Task[..., Any] | None = None
    task_name: str | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    not_kept: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    variable: str = DEFAULT_VARIABLE

    def missing(self, name: str) -> NoReturn:
        """Raise the reason why an input is missing.

        Raises:
            InputNotKept: always.
        """
        reason = self.not_kept.get(name, "it is not an input of the task")
        raise InputNotKept(
            f"The input {name!r} of {self.task_name} was not kept: {reason}.",
            fix="Replace this call by a value.",
        )

    def cell_text(self) -> str:
        """Return the text of a cell that calls the failed task, or the flow if no task failed.

        Names of runs and tasks come from the Prefect API, so they are only in comments and literals.
        """
        lines = [self._title(), *self.notes]
        if self.task is None:
            return _join_cell(lines, _format_call(self, f"{self.variable}.flow"))
        lines.insert(1, f"{self.task_name}, with the inputs as they were when it failed")
        inputs = f"{self.variable}.inputs"
        missing = [
            f"{inputs}[{name!r}] = {self.variable}.missing({name!r})  # {_one_line(reason)}"
            for name, reason in self.not_kept.items()
        ]
        return _join_cell(lines, *missing, _format_call(self, f"{self.variable}.task.fn"))

    def _title(self) -> str:
        return f"Run {self.run.name} of {self.manifest.full_name}, version {self.manifest.version}"

    def __repr__(self) -> str:
        return "\n".join(self.describe())

    def describe(self) -> Iterator[str]:
        """Yield lines with what was loaded, what is missing, and what differs from the run."""
        yield f"{self.variable}: {self._title()}"
        if self.task is not None:
            yield f"Failed task {self.task_name}; inputs: {', '.join(self.inputs) or 'none'}"
        for name, reason in self.not_kept.items():
            yield f"Input {name} was not kept: {reason}."
        yield from self.notes


def _join_cell(comments: list[str], *code: str) -> str:
    return "\n".join([*(f"# {_one_line(each)}" for each in comments), *code])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _format_call(made: DebugRun, function: str) -> str:
    """Return the text of a call with the inputs of the failed task, or with the run's parameters if no task failed."""
    if made.task is None:
        return _call(function, f"**{made.variable}.parameters", made.flow)
    names = {*made.inputs, *made.not_kept}
    return _call(function, _format_arguments(made.task, names, f"{made.variable}.inputs"), made.task)


def _call(function: str, arguments: str, called: Any) -> str:
    """Return the text of a call of a flow or task, so that its body is executed."""
    call = f"{function}({arguments})"
    if called.isgenerator:
        return f"[each async for each in {call}]" if called.isasync else f"list({call})"
    return f"await {call}" if called.isasync else call


def _format_arguments(task: Task[..., Any], names: set[str], inputs: str) -> str:
    """Return the text of the arguments: `**inputs`, if the function accepts all of its parameters by name."""
    expected = signature(task.fn).parameters.values()
    if all(each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY) for each in expected):
        return f"**{inputs}"
    return ", ".join(
        _ARGUMENT_FORMS[each.kind].format(name=each.name, value=f"{inputs}[{each.name!r}]")
        for each in expected
        if each.name in names
    )


def debug_run(run: str, *, task: str | None = None, as_name: str | None = None) -> DebugRun:
    """Load the flow of a run, and the inputs of its failed task, into this notebook.

    Args:
        run: the run's id or name, or a deployment, of which the latest run is meant.
        task: the name or id of the failed task run, or the name of its task (default: the one whose exception ended the run).
        as_name: the variable (default: `debug`, with a number if the notebook uses that name).

    Returns:
        The object that is now in that variable. `debug.task.fn(**debug.inputs)` repeats the failed call.

    Raises:
        RunNotFound: no run and no deployment matches.
        BadRequest: the run does not belong to a deployment, or no task of that name failed.
        NotTrusted: the key that signed the version is not trusted here; nothing was unpickled.
        PythonMismatch: another version of Python packed the flow; nothing was unpickled.
        VariableTaken: the notebook already uses this name, or one that a setup cell of the flow defines; nothing was changed.
    """
    session = open_session(load_settings())
    found = run_coroutine(_download_run(session, run, task))
    shell = get_shell()
    namespace = namespace_of(shell)
    variable, notes = _choose_variable(namespace, as_name)
    flow = load_version(found.version)
    made = DebugRun(found.detail.run, flow, found.detail.run.parameters, found.version.manifest, variable=variable)
    made.notes += [*notes, *_list_differences(made.manifest)]
    _add_task(made, found)
    made.notes += _describe_own_call(made, namespace)
    namespace[variable] = made
    return made


@dataclass(frozen=True)
class _DownloadedRun:
    """A run, its verified version, and the failed task run with its verified inputs, if there is one."""

    detail: RunDetail
    version: CheckedVersion
    failed: FailedTaskRun | None
    inputs: VerifiedInputs | None
    others: tuple[FailedTaskRun, ...]


async def _download_run(session: Session, name: str, task: str | None) -> _DownloadedRun:
    run = await session.find_run(name)
    if run.deployment_id is None:
        raise BadRequest(
            f"Run {run.name} does not belong to a deployment, so there is no version of its flow.",
            fix="Name the run of a deployment; for a nested run, the run that called it.",
        )
    detail, failed = await _read_failure(session, run.id)
    chosen = _choose_task(failed, detail, task)
    inputs = await session.runs.download_inputs(run.id, chosen) if chosen else None
    version = await session.deployments.download_version(run.deployment_id, await _find_version(session, detail))
    _check_same_version(version.manifest, inputs)
    others = tuple(each for each in failed if each is not chosen)
    return _DownloadedRun(detail, version, chosen, inputs, others)


async def _read_failure(session: Session, run_id: str) -> tuple[RunDetail, tuple[FailedTaskRun, ...]]:
    """Read a run and its failed tasks. Wait until Prefect has recorded the failed task, which takes seconds after the end."""
    while True:
        detail, failed = await session.runs.read_detail(run_id), await session.runs.read_failed_tasks(run_id)
        is_known = detail.failure is None or detail.failure.task is not None or not failed
        if is_known or detail.settled:
            return detail, failed
        await asyncio.sleep(RECORD_PAUSE)


def _choose_task(failed: Sequence[FailedTaskRun], detail: RunDetail, name: str | None) -> FailedTaskRun | None:
    if name is None:
        ended_by = detail.failure.task.id if detail.failure and detail.failure.task else None
        return next((each for each in failed if each.id == ended_by), None)
    found = [each for each in failed if name in (each.id, each.name)] or [each for each in failed if name == each.task]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each.name or each.id for each in found or failed)
    if found:
        raise BadRequest(f"{len(found)} failed task runs belong to the task {name!r}.", fix=f"Choose one of {known}.")
    raise BadRequest(
        f"Run {detail.run.name} has kept no inputs of a failed task {name!r}.",
        fix=f"It has kept those of {known}." if known else "Leave out --task, to call the flow with its parameters.",
    )


async def _find_version(session: Session, detail: RunDetail) -> int:
    found = await session.runs.find_version(detail)
    if found is None:
        raise BadRequest(
            f"The version of run {detail.run.name} is unknown: it has not recorded it, and none is older than the run.",
            fix=f"Load a version with %load_flow {detail.run.flow_name}/{detail.run.deployment_name}@NUMBER.",
        )
    return found


def _check_same_version(manifest: Manifest, inputs: VerifiedInputs | None) -> None:
    if inputs is None:
        return
    signed = (inputs.header.deployment, inputs.header.deployment_version)
    if signed != (manifest.full_name, manifest.version):
        raise ContentRefused(
            f"The inputs are those of {signed[0]} version {signed[1]}, but the run names {manifest.full_name} version "
            f"{manifest.version}.",
            fix=inputs.header.kind.changed_fix,
        )


def _choose_variable(namespace: Mapping[str, object], as_name: str | None) -> tuple[str, list[str]]:
    """Return the variable, and notes about it. Another `DebugRun` is replaced; any other value is not."""
    if as_name is not None:
        if not as_name.isidentifier():
            raise BadRequest(f"{as_name!r} is not a valid variable name.", fix="Choose another name with --as NAME.")
        if not _is_free(namespace, as_name):
            kind = type(namespace[as_name]).__qualname__
            raise VariableTaken(
                f"This notebook already has another value in the variable {as_name}: a {kind}.",
                fix="Choose another name with --as NAME, or delete the variable first.",
            )
        return as_name, []
    names = [DEFAULT_VARIABLE, *(f"{DEFAULT_VARIABLE}_{number}" for number in range(2, len(namespace) + 3))]
    variable = next(each for each in names if _is_free(namespace, each))
    before = namespace.get(variable)
    notes = [f"It replaces run {before.run.name} in {variable}."] if isinstance(before, DebugRun) else []
    if variable != DEFAULT_VARIABLE:
        notes.append(f"The notebook has another value in {DEFAULT_VARIABLE}, so this is in {variable}.")
    return variable, notes


def _is_free(namespace: Mapping[str, object], name: str) -> bool:
    return name not in namespace or isinstance(namespace[name], DebugRun)


def _add_task(made: DebugRun, found: _DownloadedRun) -> None:
    """Add the failed task and its inputs; or a note, if the cell has to call the flow instead."""
    failed, ended_by = found.failed, found.detail.failure.task if found.detail.failure else None
    if failed is None:
        made.notes.append(f"The inputs of {ended_by.name} were not kept." if ended_by else NO_TASK)
        made.notes += _list_others(found.others, made.run)
        return
    made.task_name = failed.name or failed.id
    key = found.inputs.header.task_key if found.inputs else None
    made.task = find_task(made.flow, key, failed.task)
    if made.task is None:
        made.notes.append(
            f"The task of {made.task_name} is created while the flow runs, so the new cell calls the flow. "
            f"The inputs of the task are in {made.variable}.inputs."
        )
    if found.inputs is not None:
        _add_inputs(made, found.inputs)
    for name in failed.kept.not_kept:
        made.not_kept[name] = failed.kept.describe_reason(name) or ""


def _describe_own_call(made: DebugRun, namespace: Mapping[str, object]) -> Iterator[str]:
    """Yield how the notebook's own function of the same name is called, which the user may repair."""
    called = made.task or made.flow
    name = getattr(called.fn, "__name__", "")  # absent from a callable object
    if isinstance(namespace.get(name), type(called)):
        call = _format_call(made, name if made.task is None else f"{name}.fn")
        yield f"The same with {name} as it is in this notebook: {call}"


def _list_others(others: tuple[FailedTaskRun, ...], run: Run) -> Iterator[str]:
    for each in others:
        name = each.name or each.id
        yield f"The inputs of the failed task {name} were kept: %debug_run {run.name} --task {name}"


def find_task(flow: AnyFlow, key: str | None, name: str | None) -> Task[..., Any] | None:
    """Find a task among the objects that a flow reaches, by Prefect's key, or the only one with that name of its function."""
    from prefect import Task

    tasks = [each.value for each in iterate_reachable(flow, "flow", visit_plain_data=False)]
    known = {id(each): each for each in tasks if isinstance(each, Task)}.values()
    if key is not None:
        return next((each for each in known if each.task_key == key), None)
    same = [each for each in known if each.task_key.rpartition("-")[0] == name]
    return same[0] if len(same) == 1 else None


def _add_inputs(made: DebugRun, inputs: VerifiedInputs) -> None:
    for name, value in inputs.read_inputs():
        if isinstance(value, UnreadableInput):
            made.not_kept[name] = value.reason.rstrip(".")
        else:
            made.inputs[name] = value


def _list_differences(manifest: Manifest) -> Iterator[str]:
    """Yield what a call in this kernel does not have in common with the run, as far as it is known."""
    from platform import python_version

    from satflow_ext.environments import installed
    from satflow_ext.environments.locked_packages import compare_environments

    missing = [name for name in manifest.secrets if name not in os.environ]
    if missing:
        yield f"The flow declares secrets that this kernel does not have: {', '.join(missing)}. Set them in os.environ."
    if manifest.files:
        paths = ", ".join(each.path for each in manifest.files)
        yield f"Runs have the data files {paths} in their working directory; this kernel has its own."
    used = frozenset(manifest.uses)
    found = compare_environments(manifest.environment, python_version(), installed.read_versions(), used)
    if found.compatibility == "different":
        yield f"Packages here are not those that the flow was registered with: {found.to_text()}"
