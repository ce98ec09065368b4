"""Executor `ray`: tasks run on Ray, started by the flow run, or on an existing Ray cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from satflow_ext.executors.executor import Executor, ExecutorOptions
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

ADDRESS = r"^ray://([^\s/@:]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$"


class RayOptions(ExecutorOptions):
    """A new Ray instance for the run, or an existing cluster."""

    num_cpus: int | None = Field(
        None, ge=1, le=256, title="CPUs", description="Number of tasks that run at a time. Default: one for each core."
    )
    address: str | None = Field(
        None,
        pattern=ADDRESS,
        title="Ray address",
        description="Use an existing cluster instead of a new one for the run. Example: ray://head.example:10001.",
    )

    @model_validator(mode="after")
    def _refuse_two_clusters(self) -> RayOptions:
        if self.address is not None and self.num_cpus is not None:
            raise ValueError("an existing Ray cluster has its own CPUs; leave out num_cpus")
        return self


def create_task_runner(options: RayOptions, settings: Settings) -> TaskRunner[Any]:
    """Create Prefect's task runner for Ray. Ray reads its environment on import, so this runs before the flow imports Ray."""
    from satflow_ext.executors import ray_environment

    ray_environment.prepare_environment(starts_ray=options.address is None)
    from satflow_ext.executors.ray_runner import FlowRayTaskRunner

    return FlowRayTaskRunner(address=options.address, num_cpus=options.num_cpus)


RAY = Executor(
    name="ray",
    title="Ray",
    purpose="tasks on Ray, on this machine or on an existing cluster",
    starts="in five to ten seconds",
    options=RayOptions,
    create_task_runner=create_task_runner,
    packages=frozenset({"ray", "prefect-ray"}),
    install="satflow-ext[ray]",
)
