"""One call of a task, as it travels to a Dask worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from prefect.tasks import Task


@dataclass(frozen=True)
class Wanted:
    """A call as the flow makes it.

    Args:
        task: what is called.
        parameters: with futures of other tasks in them.
        wait_for: futures that it waits for besides.
        dependencies: the task runs that parameters come from, where the caller knows more than the parameters say.
    """

    task: Task[Any, Any]
    parameters: dict[str, Any]
    wait_for: Iterable[Any] | None
    dependencies: Mapping[str, set[Any]]
    task_run_id: UUID = field(default_factory=uuid4)

    @property
    def key(self) -> str:
        """What Dask calls it; the dashboard groups by what comes before the dash."""
        return f"{self.task.name}-{self.task_run_id.hex}"


class Place:
    """Where in a call's arguments the final state of another task belongs.

    Args:
        number: of that state among those that Dask brings.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


@dataclass(frozen=True)
class Call:
    """What only the Dask worker that runs the task has to read. It travels pickled: Dask's scheduler passes it on unread.

    Args:
        task_run_id: of the run to be.
        code: the pickled task; None where Dask brings it.
        parameters: with a place for each state of another task, which Dask brings, and without those that it brings pickled.
        wait_for: places alike.
        dependencies: the task runs that parameters come from, by parameter.
        context: what `prefect.context.serialize_context` gives, without what all tasks of a flow run share.
    """

    task_run_id: UUID
    code: bytes | None
    parameters: dict[str, Any]
    wait_for: list[Any] | None
    dependencies: dict[str, set[Any]]
    context: dict[str, Any]
