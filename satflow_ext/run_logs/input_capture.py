"""Capture of the inputs of failed tasks, encoded in the process where the task fails (docs/decisions/0039).

The flow run's own process collects them. Any other process that runs tasks, such as a Dask worker, attaches them to the final
state of the task run, which each task runner returns to the flow run. Unpickling there hands them over, so that no worker needs
the store or its credential, and the flow run, which knows all declared secrets, checks each input before it is stored.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections import defaultdict, deque
from dataclasses import astuple, dataclass, replace
from typing import Any

from satflow_ext.credentials import redacting_filter
from satflow_ext.credentials.shapes import detect_credential, is_credential_name
from satflow_ext.settings import load_settings
from satflow_ext.value_formats import formats
from satflow_ext.value_formats.plain_json import ValueTooLarge

MAX_TASKS = 20
"""Maximum number of failed tasks of a run whose inputs are kept: the first ones."""
MAX_INPUTS = 40
"""Maximum number of inputs of a task that are kept."""
MAX_NAME = 200
"""Maximum number of characters of the name of a task or input in a document."""
STATE_ATTRIBUTE = "_satflow_failed_tasks"
"""Attribute of a final state with the captured tasks."""


@dataclass(frozen=True)
class CapturedInput:
    """An input of a failed task.

    Args:
        name: the name of the task's parameter.
        format: the name of its format (`value_formats.formats`); None if it is not kept.
        data: the encoded value.
        reason: why it is not kept, a key of `runs.input_labels.NOT_KEPT_REASONS`; None if it is kept.
    """

    name: str
    format: str | None = None
    data: bytes = b""
    reason: str | None = None


@dataclass(frozen=True)
class CapturedTask:
    """A failed task run. Unpickling one in the process of a flow run adds it to the collector of that process.

    Args:
        task_run_id: the task run.
        flow_run_id: the flow run that it belongs to, which may be nested in the run of the process.
        name: the name of the task run.
        key: Prefect's key of the task, by which the task is found in its flow.
        inputs: its inputs, in the order of its parameters.
    """

    task_run_id: str
    flow_run_id: str
    name: str
    key: str
    inputs: tuple[CapturedInput, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        """Reduce the task for pickle to a call of `deliver_task`."""
        inputs = tuple(astuple(each) for each in self.inputs)
        return deliver_task, (self.task_run_id, self.flow_run_id, self.name, self.key, inputs)


class InputCollector:
    """The captured tasks of one flow run, in its own process.

    Args:
        limit: maximum bytes of all encoded inputs together.
    """

    def __init__(self, limit: int) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._tasks: list[CapturedTask] = []
        self._room = limit

    @property
    def is_of_this_process(self) -> bool:
        """False in a child process of the flow run, which has a copy."""
        return self._pid == os.getpid()

    @property
    def room(self) -> int:
        """The number of bytes that further inputs may have; 0 if no further tasks are kept."""
        return self._room if len(self._seen) < MAX_TASKS else 0

    def add_task(self, task: CapturedTask) -> None:
        """Keep a task, unless it is known. Inputs that contain declared secrets or are too large lose their values."""
        with self._lock:
            if task.task_run_id not in self._seen and len(self._seen) < MAX_TASKS:
                self._seen.add(task.task_run_id)
                self._tasks.append(replace(task, inputs=tuple(map(self._check_input, task.inputs))))

    def take_tasks(self) -> list[CapturedTask]:
        """Return the tasks that were not returned before. They still count towards the limits."""
        with self._lock:
            taken, self._tasks = self._tasks, []
            return taken

    def _check_input(self, given: CapturedInput) -> CapturedInput:
        if redacting_filter.declared_names() and redacting_filter.make_redactor().find_secret(given.data):
            return CapturedInput(given.name, reason="secret")
        if len(given.data) > self._room:
            return CapturedInput(given.name, reason="size")
        self._room -= len(given.data)
        return given


_collector: InputCollector | None = None
_waiting: deque[CapturedTask] = deque(maxlen=4)
"""Tasks that other tasks of this process have called: they return to the flow run with the caller's state."""
_captured_sizes: defaultdict[str, list[int]] = defaultdict(list)
"""Flow run → the sizes of the captured tasks in this process."""


def start_collecting(limit: int) -> InputCollector:
    """Make this process the one that collects the inputs of failed tasks, and return the collector."""
    global _collector
    _collector = InputCollector(limit)
    return _collector


def deliver_task(
    task_run_id: str, flow_run_id: str, name: str, key: str, inputs: tuple[tuple[Any, ...], ...]
) -> CapturedTask:
    """Create a captured task that has arrived from another process, and hand it to the collector of this process."""
    task = CapturedTask(task_run_id, flow_run_id, name, key, tuple(CapturedInput(*each) for each in inputs))
    if collector := _find_collector():
        collector.add_task(task)
    else:
        _waiting.append(task)
    return task


def capture_failed_task(engine: Any) -> None:
    """Capture the inputs of a task run that has failed for the last time.

    Args:
        engine: Prefect's engine of the task run.
    """
    task_run, collector = engine.task_run, _find_collector()
    run_id = str(task_run.flow_run_id)
    room = collector.room if collector else _find_room(run_id)
    if room == 0:
        return
    task = CapturedTask(
        str(task_run.id),
        run_id,
        str(task_run.name)[:MAX_NAME],
        engine.task.task_key,
        _encode_inputs(engine.parameters or {}, room),
    )
    if collector:
        collector.add_task(task)
        return
    _captured_sizes[run_id].append(sum(len(each.data) for each in task.inputs))
    # Not a field, so that Prefect sends it to no API.
    vars(engine.state)[STATE_ATTRIBUTE] = [*(each for each in list(_waiting) if each.flow_run_id == run_id), task]
    if task_run.task_inputs.get("__parents__"):
        _waiting.append(task)


def _find_collector() -> InputCollector | None:
    return _collector if _collector is not None and _collector.is_of_this_process else None


def _find_room(run_id: str) -> int:
    sizes = _captured_sizes[run_id]
    return max(load_settings().inputs_limit - sum(sizes), 0) if len(sizes) < MAX_TASKS else 0


def _encode_inputs(parameters: dict[str, Any], room: int) -> tuple[CapturedInput, ...]:
    """Encode each input by itself, so that one that cannot be kept does not affect the others."""
    encoded = []
    for number, (name, value) in enumerate(parameters.items()):
        made = CapturedInput(name, reason="number") if number >= MAX_INPUTS else _encode_input(name, value, room)
        room -= len(made.data)
        encoded.append(replace(made, name=name[:MAX_NAME]))
    return tuple(encoded)


def _encode_input(name: str, value: object, room: int) -> CapturedInput:
    if _is_credential(name, value):
        return CapturedInput(name, reason="credential")
    file = io.BytesIO()
    try:
        found = formats.write_value(value, formats.BoundedFile(file, room), exact=True)
    except ValueTooLarge:
        return CapturedInput(name, reason="size")
    except Exception:  # the pickler calls methods of the user's types
        return CapturedInput(name, reason="pickle")
    return CapturedInput(name, found.name, file.getvalue())


def _is_credential(name: str, value: object) -> bool:
    """Return whether a value is a credential by its name, form or type. Types of secrets would be stored readably."""
    if value is None:
        return False
    if is_credential_name(name) or (type(value) is str and detect_credential(value, name)):
        return True
    with contextlib.suppress(Exception):  # a class of the user may have any attributes
        return hasattr(type(value), "get_secret_value") or _is_block(value)
    return False


def _is_block(value: object) -> bool:
    """Return whether a value is a block of Prefect, many of which contain credentials."""
    from prefect.blocks.core import Block

    return isinstance(value, Block)
