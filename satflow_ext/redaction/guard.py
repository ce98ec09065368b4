"""Stands between this process and the Prefect API: log lines, states and nested flows are told as the policy says.

Each process of a flow run needs it, as with secrets (`credentials.guard`), which it guards as well. What the process writes
elsewhere, such as the console that a Prefect worker streams to its own log, stays whole.
"""

from __future__ import annotations

import copy
import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from satflow_ext.credentials import redacting_filter as secrets
from satflow_ext.errors import SettingsWrong
from satflow_ext.redaction import policy
from satflow_ext.redaction.exceptions import shortened, without_words
from satflow_ext.redaction.names import Namer, places
from satflow_ext.settings import load_settings

if TYPE_CHECKING:
    from prefect.results import ResultRecord  # type: ignore[attr-defined]  # where Prefect used to keep it

MODULE = __name__

Clean = Callable[[str], str]


def begin() -> None:
    """Decide for this flow run, and guard this process."""
    try:
        os.environ[policy.VARIABLE] = policy.in_force(load_settings())
    except SettingsWrong:  # raised again where it can be told
        os.environ[policy.VARIABLE] = "messages"
    _guard_told()


def needed() -> bool:
    """Whether the processes that this one starts have to be guarded."""
    return bool(secrets.declared()) or policy.of_this_process() != "everything"


def guard() -> None:
    """Guard a process that a flow run started."""
    secrets.guard()
    _guard_told()


def dask_setup(worker: object) -> None:
    """Distributed calls this in every Dask worker that preloads the module."""
    guard()


def _guard_told() -> None:
    told = policy.of_this_process()
    if told != "everything":
        clean, words = Namer(_places()), told == "messages"
        _guard_log(clean, words)
        _guard_states(clean, words)
        _guard_nested_flows()


def _places() -> Mapping[str, str]:
    try:
        return places(load_settings())
    except SettingsWrong:
        return {}


def _guard_log(clean: Clean, words: bool) -> None:
    """Only what goes to the API: the record itself stays as it is for other handlers."""
    from prefect.logging.handlers import APILogHandler

    prepare = APILogHandler.prepare

    @wraps(prepare)
    def prepare_told(self: APILogHandler, record: logging.LogRecord) -> dict[str, Any]:
        return prepare(self, _told(record, clean, words))

    APILogHandler.prepare = prepare_told  # type: ignore[method-assign]


def _told(record: logging.LogRecord, clean: Clean, words: bool) -> logging.LogRecord:
    error = record.exc_info[1] if record.exc_info else None
    said = record.getMessage()
    if not words:
        given = record.args if isinstance(record.args, tuple) else ()
        for each in (error, sys.exc_info()[1], *given):  # a line may have been made of the one that is being handled
            said = without_words(said, each, secrets.cleaner()) if isinstance(each, BaseException) else said
    if error is not None:
        said = f"{said}\n{secrets.cleaner()(shortened(error, words=words))}"
    told = copy.copy(record)
    told.msg, told.args = clean(said), ()
    told.exc_info = told.exc_text = told.stack_info = None
    return told


def _guard_states(clean: Clean, words: bool) -> None:
    from prefect.client.schemas.objects import State
    from prefect.results import ResultRecord  # type: ignore[attr-defined]  # where Prefect used to keep it

    make = State.__init__

    @wraps(make)
    def make_told(self: State[Any], *args: Any, **fields: Any) -> None:
        data, message = fields.get("data"), fields.get("message")
        error = getattr(data, "result", data)
        if isinstance(error, BaseException) and isinstance(data, ResultRecord):
            fields["data"] = _below_home(data)
        if isinstance(error, BaseException) and isinstance(message, str) and not words:
            message = without_words(message, error, secrets.cleaner())
        if isinstance(message, str):
            fields["message"] = clean(message)
        make(self, *args, **fields)

    State.__init__ = make_told  # type: ignore[method-assign,assignment]  # pydantic's own spells each field


def _below_home(failure: ResultRecord[Any]) -> ResultRecord[Any]:
    """A record of where Prefect has put an exception, which it does with each, without the name of the home folder.

    Prefect reads it there all the same. It has been written by now; a result of a task has not, and has to stay as it is.
    """
    home, key = f"{Path.home()}/", failure.metadata.storage_key
    if key is None or not key.startswith(home):
        return failure
    metadata = failure.metadata.model_copy(update={"storage_key": f"~/{key.removeprefix(home)}"})
    return failure.model_copy(update={"metadata": metadata})


def _guard_nested_flows() -> None:
    """Tell of what a flow gives to a flow inside it only the types: nobody but people reads those parameters in Prefect."""
    from prefect.client.orchestration._flow_runs import client as flow_runs

    for kind in (flow_runs.FlowRunClient, flow_runs.FlowRunAsyncClient):
        kind.create_flow_run = _with_types_only(kind.create_flow_run)  # type: ignore[method-assign]


def _with_types_only(create: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(create)
    def create_told(self: Any, flow: Any, *args: Any, **fields: Any) -> Any:
        # With a work pool, the run is to be started elsewhere and needs them.
        if fields.get("parent_task_run_id") and fields.get("parameters") and not fields.get("work_pool_name"):
            fields["parameters"] = {name: f"<{type(value).__name__}>" for name, value in fields["parameters"].items()}
        return create(self, flow, *args, **fields)

    return create_told
