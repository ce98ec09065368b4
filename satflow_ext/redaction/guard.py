"""Redaction between this process and the Prefect API: log lines, states and nested flows are sent as the policy allows.

Each process of a flow run needs it, as for secrets (`credentials.redacting_filter`), whose redaction it enables as well. Output
to other places, such as the console that a Prefect worker streams to its own log, is not changed.
"""

from __future__ import annotations

import copy
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from satflow_ext.credentials import redacting_filter as secrets
from satflow_ext.errors import SatflowError, SettingsWrong
from satflow_ext.redaction import policy
from satflow_ext.settings import Settings, config_file, load_settings

if TYPE_CHECKING:
    from prefect.results import ResultRecord  # type: ignore[attr-defined]  # where Prefect used to keep it

MODULE = __name__

Clean = Callable[[str], str]
MIN_LENGTH = 5
"""Minimum characters of a place. A shorter one, such as `/` or `/srv`, appears in many texts and reveals nothing."""
CLUSTER_ADDRESS = re.compile(r"\b(?:tcp|tls|ucx|inproc|ray)://[^\s'\"<>,;)\]}]+")
"""Addresses of schedulers and workers in Dask's format, and of clusters in Ray's."""
CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"


def start_redaction() -> None:
    """Set the redaction policy of this flow run, and enable redaction in this process."""
    try:
        os.environ[policy.POLICY_VARIABLE] = policy.decide_level(load_settings())
    except SettingsWrong:  # raised again where the run's log can show it
        os.environ[policy.POLICY_VARIABLE] = "messages"
    _install_redaction()


def is_redaction_needed() -> bool:
    """Return whether child processes need redaction."""
    return bool(secrets.declared_names()) or policy.process_level() != "everything"


def enable_redaction() -> None:
    """Enable redaction in a process that a flow run started."""
    secrets.enable_redaction()
    _install_redaction()


def dask_setup(worker: object) -> None:
    """Enable redaction in a Dask worker. Distributed calls this in every worker that preloads the module."""
    enable_redaction()


def _install_redaction() -> None:
    level = policy.process_level()
    if level != "everything":
        clean, words = PlaceRedactor(_read_places()), level == "messages"
        _redact_log(clean, words)
        _redact_states(clean, words)
        _redact_nested_flows()


def _read_places() -> Mapping[str, str]:
    try:
        return list_places(load_settings())
    except SettingsWrong:
        return {}


def _redact_log(clean: Clean, with_messages: bool) -> None:
    """Redact the copy of a log record that goes to the API; other handlers get the original record."""
    from prefect.logging.handlers import APILogHandler

    prepare = APILogHandler.prepare

    @wraps(prepare)
    def prepare_told(self: APILogHandler, record: logging.LogRecord) -> dict[str, Any]:
        return prepare(self, _redact_record(record, clean, with_messages))

    APILogHandler.prepare = prepare_told  # type: ignore[method-assign]


def _redact_record(record: logging.LogRecord, clean: Clean, with_messages: bool) -> logging.LogRecord:
    error = record.exc_info[1] if record.exc_info else None
    text = record.getMessage()
    if not with_messages:
        given = record.args if isinstance(record.args, tuple) else ()
        for each in (error, sys.exc_info()[1], *given):  # a line may contain the exception that is being handled
            text = remove_messages(text, each, secrets.make_redactor()) if isinstance(each, BaseException) else text
    if error is not None:
        text = f"{text}\n{secrets.make_redactor()(format_traceback(error, with_messages=with_messages))}"
    redacted_record = copy.copy(record)
    redacted_record.msg, redacted_record.args = clean(text), ()
    redacted_record.exc_info = redacted_record.exc_text = redacted_record.stack_info = None
    return redacted_record


def _redact_states(clean: Clean, with_messages: bool) -> None:
    from prefect.client.schemas.objects import State
    from prefect.results import ResultRecord  # type: ignore[attr-defined]  # where Prefect used to keep it

    make = State.__init__

    @wraps(make)
    def make_told(self: State[Any], *args: Any, **fields: Any) -> None:
        data, message = fields.get("data"), fields.get("message")
        error = getattr(data, "result", data)
        if isinstance(error, BaseException) and isinstance(data, ResultRecord):
            fields["data"] = _hide_home(data)
        if isinstance(error, BaseException) and isinstance(message, str) and not with_messages:
            message = remove_messages(message, error, secrets.make_redactor())
        if isinstance(message, str):
            fields["message"] = clean(message)
        make(self, *args, **fields)

    State.__init__ = make_told  # type: ignore[method-assign,assignment]  # pydantic's own spells each field


def _hide_home(failure: ResultRecord[Any]) -> ResultRecord[Any]:
    """Return the record of a persisted exception without the name of the home folder. Prefect persists every exception.

    Prefect can still read the exception, which has already been written. A task's result has not, so its record must not change.
    """
    home, key = f"{Path.home()}/", failure.metadata.storage_key
    if key is None or not key.startswith(home):
        return failure
    metadata = failure.metadata.model_copy(update={"storage_key": f"~/{key.removeprefix(home)}"})
    return failure.model_copy(update={"metadata": metadata})


def _redact_nested_flows() -> None:
    """Send only the types of the parameters of nested flows: Prefect uses these parameters only for display."""
    from prefect.client.orchestration._flow_runs import client as flow_runs

    for kind in (flow_runs.FlowRunClient, flow_runs.FlowRunAsyncClient):
        kind.create_flow_run = _with_types_only(kind.create_flow_run)  # type: ignore[method-assign]


def _with_types_only(create: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(create)
    def create_told(self: Any, flow: Any, *args: Any, **fields: Any) -> Any:
        # With a work pool, the run starts elsewhere and needs the values.
        if fields.get("parent_task_run_id") and fields.get("parameters") and not fields.get("work_pool_name"):
            fields["parameters"] = {name: f"<{type(value).__name__}>" for name, value in fields["parameters"].items()}
        return create(self, flow, *args, **fields)

    return create_told


def list_places(settings: Settings) -> dict[str, str]:
    """Return place → name for the paths and addresses in this machine's settings."""
    folders = {
        str(settings.secrets_dir): "[secrets_dir]",
        str(settings.runtime_dir): "[runtime_dir]",
        str(settings.state_dir): "[state_dir]",
        str(settings.cache_dir): "[cache_dir]",
        str(config_file()): "[satflow.toml]",
        str(Path.home()): "~",
    }
    if sys.prefix != sys.base_prefix:
        folders[sys.prefix] = "[environment]"
    stores = {urlsplit(store.url).netloc: f"[store {name}]" for name, store in settings.stores.items()}
    return {place: name for place, name in {**folders, **stores}.items() if len(place) >= MIN_LENGTH}


class PlaceRedactor:
    """A callable that replaces places by names.

    Args:
        known: place → name.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        # The longest first: most folders are inside of others.
        self._known = {place: known[place] for place in sorted(known, key=len, reverse=True)}
        self._pattern = re.compile("|".join(map(re.escape, self._known)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Return the text with all places replaced."""
        return CLUSTER_ADDRESS.sub("[cluster address]", self._pattern.sub(lambda found: self._known[found[0]], text))


def format_traceback(error: BaseException, *, with_messages: bool) -> str:
    """Format a traceback with file names, line numbers and functions, but without source code and folders.

    Args:
        error: the exception, with its causes.
        with_messages: whether to include the messages of exceptions. Messages of SatFlow's own exceptions are always included.
    """
    return "\n".join(_traceback_lines(error, with_messages, set()))


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception, its causes and contexts, and the members of exception groups, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [each for each in (one.__cause__, one.__context__) if each is not None]
            waiting += getattr(one, "exceptions", ())


def remove_messages(text: str, error: BaseException, redact: Callable[[str], str] = str) -> str:
    """Remove an exception's message from a text that repeats it, and keep the exception's type.

    Args:
        text: a text of Prefect's: `Task run encountered an exception ValueError: no such customer`.
        error: the exception, with its causes.
        redact: the redaction that was already applied to the text.
    """
    for one in exception_chain(error):
        if not isinstance(one, SatflowError) and (message := _message_of(one)):
            for spelled, replacement in ((_spell_safely(one, repr), f"{type(one).__name__}()"), (f": {message}", "")):
                for given in filter(None, (spelled, redact(spelled))):
                    text = text.replace(given, replacement)
    return text


def _traceback_lines(error: BaseException, with_messages: bool, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before, link = (error.__cause__, CAUSE) if error.__cause__ else (error.__context__, CONTEXT)
    if before is not None and id(before) not in seen and (error.__cause__ or not error.__suppress_context__):
        yield from (*_traceback_lines(before, with_messages, seen), "", link, "")
    if error.__traceback__:
        yield "Traceback (most recent call last):"
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        yield f'  File "{PurePath(code.co_filename).name}", line {line}, in {code.co_name}'
    message = _message_of(error) if with_messages or isinstance(error, SatflowError) else ""
    yield f"{type(error).__name__}: {message}" if message else type(error).__name__
    for inner in getattr(error, "exceptions", ()):
        if id(inner) not in seen:
            yield from (f"  | {each}" for each in _traceback_lines(inner, with_messages, seen))


def _message_of(error: BaseException) -> str:
    if isinstance(error, SyntaxError):  # its text is a line of code, and its message contains the file
        return error.msg
    return _spell_safely(error, str)


def _spell_safely(error: BaseException, spell: Callable[[object], str]) -> str:
    try:
        return spell(error)
    except Exception:  # the exception's own code, which may raise any exception
        return ""
