"""The failure of a flow run: its exceptions, the frames of the user's code, and the task that failed.

Everything is extracted from the run's log, never from its result, which is a pickle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal, Protocol
from uuid import UUID

from satflow_ext.models import FailedInput, FailedTask, Failure, FailureException, FailureFrame, RunDetail
from satflow_ext.prefect_rows import TaskInputRow, TaskRunRow
from satflow_ext.runs.input_labels import ALL_INPUTS, KeptInputs

Relation = Literal["cause", "context", "member"]

HEADER = "Traceback (most recent call last)"
LINKS: dict[str, Relation] = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+)(?:, in (?P<function>.*))?')
MARGIN = re.compile(r"^ {2,}\| ?")
"""The margin of an exception group's lines, which Python indents further for each level."""
REPEATED_MARGIN = re.compile(r"^(?: {2}\| )+")
"""The margin in a redacted traceback, which repeats it for each level."""
GROUP_HEADER = re.compile(r" {2,}\+ Exception Group " + re.escape(HEADER) + ":")
GROUP_RULE = re.compile(r" *\+(?:-\+)?-+(?: (?:\d+|\.\.\.) -+)?")
"""A line between the members of a group, or after the last one."""
EXCEPTION = re.compile(r"(?P<type>[^\W\d][\w.<>]*)(?:: ?(?P<message>.*))?", re.DOTALL)
CODE_INDENT = "    "

PREFECT_PREFIX = re.compile(r"(?:Flow|Task) run encountered an exception:? ")
MAX_CAUSE_LENGTH = 1_000
"""Maximum number of characters of a cause."""
MAX_FRAMES = 300
"""Maximum number of frames of an exception; of a deep recursion, the outermost and innermost ones are returned."""

CELL_FILE = re.compile(r"(?:.*/)?(?:ipykernel|xpython)_\d+/(\d+)\.py")
"""A cell's file name by ipykernel and xeus-python: a folder for each kernel process, and the murmur2 hash of the cell's text."""
REDACTED_CELL_FILE = re.compile(r"\d{5,10}\.py")
"""A shorter number is hardly ever a hash, but may be the name of a file, such as a year."""
LIBRARY_FILE = re.compile(r".*/(?:site|dist)-packages/([^/]+?)(?:\.py)?(?:/.*)?")
OWN_FILE = re.compile(r".*/satflow_ext/.*|(?:.*/)?satflow_flow\.py")
"""A file of this package, or the loader of a flow."""
PYTHON_FILE = re.compile(
    r"<frozen .*>|.*/lib/(?:python|pypy)\d[^/]*/.*|.*/[^/]*(?:python|conda)\d*/Lib/.*", re.IGNORECASE
)
STANDARD_LIBRARY = "python"
OWN_PACKAGE = "satflow_ext"


class LogEntry(Protocol):
    """A log line of the Prefect API, as far as it is used here."""

    @property
    def message(self) -> str:
        """The text of the line."""

    @property
    def task_run_id(self) -> UUID | None:
        """The task run that logged it, None for the flow run itself."""


@dataclass(frozen=True)
class _LoggedTraceback:
    """A traceback of the log, and the task run that logged it."""

    text: str
    task_run_id: UUID | None
    exceptions: tuple[RaisedException, ...]
    main: RaisedException

    def has_same_exception(self, other: _LoggedTraceback) -> bool:
        return (self.main.type, self.main.message) == (other.main.type, other.main.message)


def find_failure(
    newest_errors_first: Sequence[LogEntry],
    state_message: str | None,
    task_runs: Sequence[TaskRunRow] = (),
    kept: Mapping[str, KeptInputs] | None = None,
) -> Failure:
    """Extract the failure of a run from its log.

    Args:
        newest_errors_first: the log lines with level ERROR and above, of the flow run and its task runs.
        state_message: the message of its final state.
        task_runs: its task runs.
        kept: task run id → what the store has of the inputs.
    """
    logged = [found for entry in newest_errors_first if (found := _read_traceback(entry))]
    if not logged:
        first = newest_errors_first[0].message if newest_errors_first else ""
        cause = PREFECT_PREFIX.sub("", state_message or first, count=1) or "The run ended without a reason."
        return Failure(cause=cause[:MAX_CAUSE_LENGTH], traceback=None)
    flow = next((each for each in logged if each.task_run_id is None), logged[0])
    in_task = _pick_task(flow, logged, kept or {})
    texts, exceptions = _join_tracebacks(flow, in_task)
    return Failure(
        cause=_format_cause(flow.main)[:MAX_CAUSE_LENGTH],
        traceback=texts,
        exceptions=tuple(map(_convert_exception, exceptions)),
        task=_describe_task(in_task, task_runs, kept or {}) if in_task else None,
    )


def _pick_task(
    flow: _LoggedTraceback, newest_first: Sequence[_LoggedTraceback], kept: Mapping[str, KeptInputs]
) -> _LoggedTraceback | None:
    """Return the traceback of the task run with which a flow run ended, None if no task run failed in this way.

    Of several task runs that failed in the same way, the first one whose inputs were kept: those of the others may have come
    too late.
    """
    same = [each for each in reversed(newest_first) if each.task_run_id and each.has_same_exception(flow)]
    with_inputs = (each for each in same if (found := kept.get(str(each.task_run_id))) and found.digest)
    return next(with_inputs, same[0] if same else None)


def _read_traceback(entry: LogEntry) -> _LoggedTraceback | None:
    at = entry.message.find(HEADER)
    if at < 0:
        return None
    text = entry.message[entry.message.rfind("\n", 0, at) + 1 :]  # with the margin of an exception group
    exceptions = parse_traceback(text)
    main = find_main_exception(exceptions)
    return _LoggedTraceback(text, entry.task_run_id, exceptions, main) if main else None


def _join_tracebacks(
    flow: _LoggedTraceback, in_task: _LoggedTraceback | None
) -> tuple[str, tuple[RaisedException, ...]]:
    """Return the text and the exceptions of a failure.

    An exception loses its traceback and causes on the way from another process, so that only the task's log has them.
    """
    if in_task is None or in_task is flow or in_task.main.frames[-1:] == flow.main.frames[-1:]:
        return flow.text, flow.exceptions
    main = in_task.main
    joined = RaisedException(main.type, main.message, (*flow.main.frames, *main.frames))
    exceptions = tuple(joined if each is main else each for each in in_task.exceptions)
    return f"{flow.text.rstrip()}\n\nIn the task run:\n\n{in_task.text}", exceptions


def _format_cause(error: RaisedException) -> str:
    return f"{error.type}: {error.message}" if error.type and error.message else error.type or error.message


def _convert_exception(error: RaisedException) -> FailureException:
    frames = error.frames
    if len(frames) > MAX_FRAMES:
        frames = (*frames[: MAX_FRAMES // 2], *frames[-MAX_FRAMES // 2 :])
    return FailureException(
        type=error.type, message=error.message, relation=error.relation, frames=tuple(map(_convert_frame, frames))
    )


def _convert_frame(frame: TracebackFrame) -> FailureFrame:
    return FailureFrame(
        file=frame.file,
        line=frame.line,
        function=frame.function,
        code=frame.code,
        package=find_package(frame.file),
        cell=find_cell_hash(frame.file),
    )


def find_cell_hash(file: str) -> str | None:
    """Return the hash in the file name of a cell, None for any other file. The name may have lost its folders."""
    plain = file.replace("\\", "/")
    if found := CELL_FILE.fullmatch(plain):
        return found[1]
    return plain.removesuffix(".py") if REDACTED_CELL_FILE.fullmatch(plain) else None


def find_package(file: str) -> str | None:
    """Return the import name of the library that contains a file.

    Returns:
        None for a file of the user; "" for a name without a folder, which may be of either.
    """
    plain = file.replace("\\", "/")
    if find_cell_hash(file) or plain.startswith(("<timed ", "<ipython-input-", "<string>", "<stdin>")):
        return None
    if found := LIBRARY_FILE.fullmatch(plain):
        return found[1]
    if OWN_FILE.fullmatch(plain):
        return OWN_PACKAGE
    if PYTHON_FILE.fullmatch(plain):
        return STANDARD_LIBRARY
    return "" if "/" not in plain else None


def _describe_task(
    logged: _LoggedTraceback, task_runs: Iterable[TaskRunRow], kept: Mapping[str, KeptInputs]
) -> FailedTask | None:
    names = {row.id: row.name for row in task_runs}
    row = next((each for each in task_runs if each.id == logged.task_run_id), None)
    if row is None:  # Prefect records task runs some time after their log
        return None
    store = kept.get(str(row.id))
    given = {name: tasks for name, tasks in row.task_inputs.items() if not name.startswith("__")}
    missing: dict[str, list[TaskInputRow]] = (
        {} if store is None else {name: [] for name in store.not_kept if name != ALL_INPUTS}
    )
    inputs = tuple(
        FailedInput(
            name=name,
            value=None,
            tasks=tuple(names[each.id] for each in tasks if each.input_type == "task_run" and each.id in names),
            not_kept=store.describe_reason(name) if store else None,
        )
        for name, tasks in {**missing, **given}.items()
    )
    return FailedTask(id=str(row.id), name=row.name, kept=bool(store and store.digest), inputs=inputs)


def add_input_values(detail: RunDetail, recorded: Mapping[str, Mapping[str, str]]) -> RunDetail:
    """Add the values of the failed task's inputs.

    Args:
        detail: a run that failed.
        recorded: task run id → name of an input → short form of its value.
    """
    if detail.failure is None or detail.failure.task is None:
        return detail
    task = detail.failure.task
    values = recorded.get(task.id, {})
    known = {each.name for each in task.inputs}
    inputs = (
        *(each.model_copy(update={"value": values.get(each.name)}) for each in task.inputs),
        *(
            FailedInput(name=name, value=value, tasks=(), not_kept=None)
            for name, value in values.items()
            if name not in known
        ),
    )
    failure = detail.failure.model_copy(update={"task": task.model_copy(update={"inputs": inputs})})
    return detail.model_copy(update={"failure": failure})


def file_name(file: str) -> str:
    """Return the last part of a path of any operating system."""
    return PurePosixPath(file.replace("\\", "/")).name


@dataclass(frozen=True)
class TracebackFrame:
    """One frame. `code` is the line of code, None if the traceback has none."""

    file: str
    line: int
    function: str
    code: str | None = None


@dataclass(frozen=True)
class RaisedException:
    """One exception of a traceback.

    Args:
        type: the name of its class, as the traceback spells it.
        message: its message, with its notes.
        frames: the innermost frame is the last.
        relation: "cause" or "context" if it led to the exception after it, "member" if an exception group contains it, None for
            the exception that the traceback is about.
    """

    type: str
    message: str
    frames: tuple[TracebackFrame, ...]
    relation: Relation | None = None


@dataclass
class _Block:
    """The lines of one exception that were read so far."""

    is_member: bool = False
    frames: list[TracebackFrame] = field(default_factory=list)
    text: list[str] | None = None

    def read_line(self, line: str) -> None:
        if self.text is not None:
            self.text.append(line)
        elif frame := FRAME.fullmatch(line):
            self.frames.append(TracebackFrame(frame["file"], int(frame["line"]), frame["function"] or ""))
        elif line.startswith(CODE_INDENT):
            self._read_code(line.strip())
        elif line and not line.startswith(" "):
            self.text = [line]

    def _read_code(self, code: str) -> None:
        if self.frames and self.frames[-1].code is None and code.strip("~^ "):
            self.frames[-1] = replace(self.frames[-1], code=code)

    def to_exception(self, link: Relation | None) -> RaisedException:
        text = "\n".join(self.text or ()).rstrip("\n")
        found = EXCEPTION.fullmatch(text)
        name, message = (found["type"], found["message"] or "") if found else ("", text)
        return RaisedException(name, message, tuple(self.frames), link or ("member" if self.is_member else None))


def parse_traceback(text: str) -> tuple[RaisedException, ...]:
    """Parse a traceback with its causes, contexts and the members of exception groups, in the order of the text.

    Args:
        text: the traceback; other text may precede its first header.
    """
    return tuple(each for each in _parse_blocks(text) if each.type or each.message or each.frames)


def find_main_exception(exceptions: tuple[RaisedException, ...]) -> RaisedException | None:
    """Return the exception that a parsed traceback is about; None if there is none."""
    return next((each for each in reversed(exceptions) if each.relation is None), None)


def _parse_blocks(text: str) -> Iterator[RaisedException]:
    """Yield the exceptions. A traceback inside a message, such as that of another process, is an exception of its own."""
    block: _Block | None = None
    margins = _Margins()
    for raw in text.split("\n"):
        line, in_margin = margins.strip(raw)
        is_rule = margins.in_group and GROUP_RULE.fullmatch(line) is not None
        is_header = line.startswith((HEADER, f"Exception Group {HEADER}"))
        link = LINKS.get(line)
        if block is not None and (is_header or link or is_rule):
            yield block.to_exception(link)
            block = None
        if is_header or link or is_rule:
            block = _Block(in_margin or is_rule)
        elif block is not None:
            block.read_line(line)
    if block is not None:
        yield block.to_exception(None)


class _Margins:
    """Removes the margins of exception groups. Outside of a group a message may contain a table, whose lines have none."""

    def __init__(self) -> None:
        self._is_python = False
        self._is_redacted = False

    @property
    def in_group(self) -> bool:
        """True after the header of a group."""
        return self._is_python or self._is_redacted

    def strip(self, line: str) -> tuple[str, bool]:
        """Return the line without its margin, and whether it had one."""
        if GROUP_HEADER.fullmatch(line):
            self._is_python = True
            return line.strip(" +"), False
        if self._is_python:
            stripped = MARGIN.sub("", line, count=1)
        else:
            stripped = REPEATED_MARGIN.sub("", line)
            self._is_redacted = self._is_redacted or (stripped != line and stripped.startswith(HEADER))
        return (stripped, stripped != line) if self.in_group else (line, False)
