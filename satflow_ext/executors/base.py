"""What an executor is: one small record that says everything about one way to run tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from satflow_ext.executors.machine_size import Machine
from satflow_ext.models import ExecutorInfo
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


class Options(BaseModel):
    """An executor's options: they draw its form, name its magic's flags and check what was said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_yes_for_a_number(cls, given: Any, info: ValidationInfo) -> Any:
        """`--n-workers` without a value is no 1."""
        if isinstance(given, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise PydanticCustomError("no_value", "it needs a value, and true or false is none")
        return given


OptionsT = TypeVar("OptionsT", bound=Options)


def fits_anywhere(options: Options, settings: Settings, machine: Machine) -> None:
    """Refuse nothing: for executors that ask the machine for nothing in particular."""


def means_something(options: Options, settings: Settings) -> None:
    """Refuse nothing: for executors whose options say by themselves what fits."""


DASK = frozenset({"dask", "distributed", "prefect-dask"})
"""`Executor.packages` of those that use Dask."""


@dataclass(frozen=True)
class Executor(Generic[OptionsT]):
    """One way to run tasks.

    Args:
        name: what users type.
        title: what the card says.
        purpose: what it is for, in half a sentence.
        starts: how long until the first task can run, in words.
        options: the model of its options.
        task_runner: makes the Prefect task runner, None to keep the flow's own; called in the flow run only.
        check: raises when a machine cannot give what the options ask for.
        refuse: raises when the options make no sense, wherever flows run.
        packages: distributions that its tasks depend on, as on those that the flow refers to.
        install: what brings them.
    """

    name: str
    title: str
    purpose: str
    starts: str
    options: type[OptionsT]
    task_runner: Callable[[OptionsT, Settings], TaskRunner[Any] | None]
    check: Callable[[OptionsT, Settings, Machine], None] = fits_anywhere
    refuse: Callable[[OptionsT, Settings], None] = means_something
    packages: frozenset[str] = frozenset()
    install: str = "satflow-ext"

    def info(self) -> ExecutorInfo:
        """The executor as the register form needs it."""
        return ExecutorInfo(
            name=self.name,
            title=self.title,
            purpose=self.purpose,
            starts=self.starts,
            options_schema=self.options.model_json_schema(),
        )
