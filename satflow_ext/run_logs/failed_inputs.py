"""The inputs of failed tasks, in private files of this machine, for the tab of their run.

The Prefect API never receives arguments of tasks. On the machine of the local stack, a process whose task fails writes a short
form of them; nothing is written elsewhere. It runs no code of the user: plain values are written, and other objects as their type
and size. Declared secrets and values that look like credentials are left out. The inputs themselves are kept in the store
(`input_capture`).
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import fractions
import json
import os
import pathlib
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from satflow_ext.credentials import redacting_filter
from satflow_ext.credentials.shapes import MAX_SEARCHED, detect_credential, is_credential_name
from satflow_ext.lease.address import make_private_folder
from satflow_ext.run_logs.capture import is_local_stack
from satflow_ext.run_logs.input_capture import capture_failed_task
from satflow_ext.settings import Settings, load_settings

HIDDEN = "(hidden: looks like a credential)"
MAX_LENGTH = 200
"""Maximum number of characters of a value."""
MAX_TEXT = 100
"""Maximum number of characters of a text inside of a value."""
MAX_ITEMS = 6
MAX_DEPTH = 3
MAX_INPUTS = 40
"""Maximum number of inputs of a task that are written."""
RUN_LIMIT = 256 * 1024
"""Bytes of one run's file, after which the inputs of further failed tasks are not written."""
MAX_FILES = 200
MAX_AGE = 7 * 24 * 3600
"""Seconds after which a file is removed, when another run fails."""
PLAIN_TYPES = (type(None), bool, int, float, complex)
TEXT_TYPES = (
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, pathlib.PosixPath, pathlib.PurePosixPath),
)
SIZED_LIBRARIES = frozenset({"numpy", "pandas", "polars", "xarray", "dask", "geopandas", "scipy", "torch"})
"""Libraries whose objects have a shape that is read without computing anything."""
BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")")}
_MARK = "_satflow_records_inputs"


def record_failed_inputs() -> None:
    """Capture the inputs of each task that fails in this process, and write their short form on the local stack's machine."""
    from prefect import task_engine

    for engine in (task_engine.SyncTaskRunEngine, task_engine.AsyncTaskRunEngine):
        for name in ("handle_exception", "handle_timeout"):
            handle = getattr(engine, name)
            if not hasattr(handle, _MARK):
                wrap = _wrap_async if engine is task_engine.AsyncTaskRunEngine else _wrap_sync
                setattr(engine, name, wrap(handle))


def read_failed_inputs(settings: Settings, run_id: str) -> dict[str, dict[str, str]]:
    """Read the inputs of the failed tasks of a flow run: task run id → name → short form.

    Args:
        settings: contain the runtime folder.
        run_id: the id of a flow run that exists.
    """
    try:
        lines = (_folder(settings) / f"{run_id}.jsonl").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            entry = json.loads(line)
            found[str(entry["task_run_id"])] = {str(name): str(value) for name, value in entry["inputs"].items()}
    return found


def describe_inputs(inputs: Mapping[str, object]) -> dict[str, str]:
    """Return the short form of each input."""
    clean = redacting_filter.make_redactor()
    first = list(inputs.items())[:MAX_INPUTS]
    return {name: _shorten(clean(_describe(value, name, clean)), MAX_LENGTH) for name, value in first}


def _describe(value: object, name: str, clean: Callable[[str], str], depth: int = MAX_DEPTH) -> str:
    """Describe a value without calling any code of its class, except for classes of Python and of known libraries."""
    kind = type(value)
    if kind is str:
        return _describe_text(value, name, clean)  # type: ignore[arg-type]  # checked above
    if value is not None and is_credential_name(name):
        return HIDDEN
    if kind in PLAIN_TYPES:
        return repr(value) if kind is not int or abs(value) < 10**MAX_TEXT else "int"  # type: ignore[arg-type]  # checked above
    if kind in TEXT_TYPES:
        return clean(str(value))
    if kind in (list, tuple, set, frozenset, dict):
        return _describe_collection(value, name, clean, depth)
    return _describe_object(value)


def _describe_text(text: str, name: str, clean: Callable[[str], str]) -> str:
    if detect_credential(text, name):
        return HIDDEN
    # Shortened only afterwards, because a part of a secret is not recognized.
    return repr(_shorten(clean(text[:MAX_SEARCHED]), MAX_TEXT))


def _describe_collection(value: Any, name: str, clean: Callable[[str], str], depth: int) -> str:
    kind = type(value).__name__
    if depth == 0 or not value:
        return f"{kind} ({len(value)})" if value else f"empty {kind}"
    first = list(_first_items(value))
    if kind == "dict":
        parts = [
            f"{_describe(key, '', clean, depth - 1)}: {_describe(each, str(key) if type(key) is str else '', clean, depth - 1)}"
            for key, each in first
        ]
    else:
        parts = [_describe(each, name, clean, depth - 1) for each in first]
    more = ", …" if len(value) > MAX_ITEMS else ""
    before, after = BRACKETS.get(kind, ("{", "}"))
    return f"{before}{', '.join(parts)}{more}{after}"


def _first_items(value: Any) -> Iterable[Any]:
    items = value.items() if type(value) is dict else value
    return (each for each, _ in zip(items, range(MAX_ITEMS), strict=False))


def _describe_object(value: object) -> str:
    kind = type(value)
    if kind is bytes:
        return f"bytes ({len(value):,})"  # type: ignore[arg-type]  # checked on the previous line
    shape: Any = None
    if kind.__module__.partition(".")[0] in SIZED_LIBRARIES:
        with contextlib.suppress(Exception):  # a library's own code, which may raise anything
            shape = value.shape  # type: ignore[attr-defined]  # absent from some of its classes
    if shape == ():
        return f"{kind.__name__} {value}"  # a number of NumPy
    is_known = isinstance(shape, tuple) and all(type(each) is int for each in shape)
    return f"{kind.__name__} {tuple(shape)}" if is_known else kind.__name__


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _wrap_sync(handle: Callable[..., None]) -> Callable[..., None]:
    @wraps(handle)
    def handle_and_record(engine: Any, error: Exception) -> None:
        handle(engine, error)
        _record(engine)

    setattr(handle_and_record, _MARK, True)
    return handle_and_record


def _wrap_async(handle: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handle)
    async def handle_and_record(engine: Any, error: Exception) -> None:
        await handle(engine, error)
        _record(engine)

    setattr(handle_and_record, _MARK, True)
    return handle_and_record


def _record(engine: Any) -> None:
    """Write the inputs of a task run that has failed for the last time. A failure to do so never affects the run."""
    with contextlib.suppress(Exception):  # another thread may change a collection meanwhile
        task_run = engine.task_run
        if not engine.state.is_failed() or not task_run.flow_run_id:
            return
        if is_local_stack():
            inputs = describe_inputs(engine.parameters or {})
            _append(load_settings(), str(task_run.flow_run_id), {"task_run_id": str(task_run.id), "inputs": inputs})
        capture_failed_task(engine)


def _append(settings: Settings, run_id: str, entry: Mapping[str, object]) -> None:
    folder = make_private_folder(_folder(settings))
    path = folder / f"{run_id}.jsonl"
    if not path.exists():
        _remove_old_files(folder)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size < RUN_LIMIT:
            os.write(descriptor, json.dumps(entry).encode() + b"\n")  # at once, because other processes append as well
    finally:
        os.close(descriptor)


def _remove_old_files(folder: Path) -> None:
    by_age = sorted(folder.glob("*.jsonl"), key=_modification_time, reverse=True)
    limit = time.time() - MAX_AGE
    for number, path in enumerate(by_age):
        if number >= MAX_FILES - 1 or _modification_time(path) < limit:
            path.unlink(missing_ok=True)


def _modification_time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has removed it
        return 0.0


def _folder(settings: Settings) -> Path:
    return settings.runtime_dir / "failed-tasks"
