"""One call of a task, in the flow and as sent to a Dask worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from prefect.tasks import Task


@dataclass(frozen=True)
class CallRequest:
    """A call as requested by the flow.

    Args:
        task: the task to call.
        parameters: arguments, which may contain futures of other tasks.
        wait_for: additional futures to wait for.
        dependencies: the task runs that produced the parameters, if the caller has more information than the parameters show.
    """

    task: Task[Any, Any]
    parameters: dict[str, Any]
    wait_for: Iterable[Any] | None
    dependencies: Mapping[str, set[Any]]
    task_run_id: UUID = field(default_factory=uuid4)

    @property
    def key(self) -> str:
        """Dask's key of the call. The dashboard groups by the part before the dash."""
        return f"{self.task.name}-{self.task_run_id.hex}"


class StatePlaceholder:
    """Placeholder in a call's arguments for the final state of another task.

    Args:
        number: index of the state among those that Dask delivers.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


@dataclass(frozen=True)
class PackedCall:
    """The data for the Dask worker that runs the task. It is sent pickled, and Dask's scheduler forwards it without reading it.

    Args:
        task_run_id: id of the future task run.
        code: the pickled task; None if Dask delivers it separately.
        parameters: arguments with a placeholder for each state of another task, and without shared arguments.
        wait_for: placeholders of additional task runs to wait for.
        dependencies: the task runs that produced each parameter.
        context: the part of `prefect.context.serialize_context` that the tasks of a flow run do not share.
    """

    task_run_id: UUID
    code: bytes | None
    parameters: dict[str, Any]
    wait_for: list[Any] | None
    dependencies: dict[str, set[Any]]
    context: dict[str, Any]
