"""The record that describes an executor: one way to run tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from satflow_ext.cluster_providers.provider import ProviderRequest
from satflow_ext.executors.machine_size import Machine
from satflow_ext.models import ExecutorInfo, JsonObject
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner


class ExecutorOptions(BaseModel):
    """Base of an executor's options, which define its form, its magic's flags and its validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bool_for_number(cls, given: Any, info: ValidationInfo) -> Any:
        """Refuse true for a number: `--n-workers` without a value does not mean 1."""
        if isinstance(given, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise PydanticCustomError("no_value", "it needs a value other than true or false")
        return given


OptionsT = TypeVar("OptionsT", bound=ExecutorOptions)


def accept_any_machine(options: ExecutorOptions, settings: Settings, machine: Machine) -> None:
    """Accept all options, for executors without requirements for the machine."""


def accept_any_options(options: ExecutorOptions, settings: Settings) -> None:
    """Accept all options, for executors whose options model is the only validation."""


@dataclass(frozen=True)
class ClusterLocation:
    """The location of a persistent cluster: the address of its scheduler, or else the name of its Dask Gateway."""

    address: str | None = None
    gateway: str | None = None


def has_no_cluster(options: JsonObject) -> ClusterLocation | None:
    """Return None, for executors whose deployments have no cluster between runs."""
    return None


def text_option(options: JsonObject, name: str) -> str | None:
    """Return the value of an option if it is text."""
    value = options.get(name)
    return value if isinstance(value, str) else None


DASK_PACKAGES = frozenset({"dask", "distributed", "prefect-dask"})
"""`Executor.packages` of executors that use Dask."""


@dataclass(frozen=True)
class Executor(Generic[OptionsT]):
    """One way to run tasks.

    Args:
        name: the name that users type.
        title: the title of the card in the register form.
        purpose: a short phrase that describes its use.
        starts: a phrase for the time until the first task can run.
        options: the model of its options.
        create_task_runner: creates the Prefect task runner, or None to keep the flow's own; called only in the flow run.
        check_machine: raises if a machine cannot provide the requested resources.
        validate_options: raises if the options are invalid on every machine.
        packages: distributions that its tasks need in addition to those that the flow uses.
        install: the requirement that installs them.
        provider_request: converts the options to a request to a cluster provider; None if the executor uses no provider.
        locate_cluster: returns the location of the cluster that a deployment with these options also has between runs. It
            reads them as they are, because another version of SatFlow may have registered the deployment.
    """

    name: str
    title: str
    purpose: str
    starts: str
    options: type[OptionsT]
    create_task_runner: Callable[[OptionsT, Settings], TaskRunner[Any] | None]
    check_machine: Callable[[OptionsT, Settings, Machine], None] = accept_any_machine
    validate_options: Callable[[OptionsT, Settings], None] = accept_any_options
    packages: frozenset[str] = frozenset()
    install: str = "satflow-ext"
    provider_request: Callable[[OptionsT, Settings], ProviderRequest] | None = None
    locate_cluster: Callable[[JsonObject], ClusterLocation | None] = has_no_cluster

    @property
    def uses_dask(self) -> bool:
        """True if its tasks run on a Dask cluster or use one."""
        return self.packages >= DASK_PACKAGES

    def to_info(self) -> ExecutorInfo:
        """Describe the executor for the register form."""
        return ExecutorInfo(
            name=self.name,
            title=self.title,
            purpose=self.purpose,
            starts=self.starts,
            options_schema=self.options.model_json_schema(),
        )
