"""The interface of `prefect_saturn` for Prefect 3 flows; see `docs/migrating-from-prefect-saturn.md`.

prefect-saturn 0.6.0 exported `PrefectCloudIntegration` and `describe_sizes`, and ignored arguments that it could not apply.
This module registers through `satflow_ext.register`, and refuses arguments that cannot be applied.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from satflow_ext.errors import BadRequest

if TYPE_CHECKING:
    from satflow_ext.kernel.flow_discovery import AnyFlow
    from satflow_ext.settings import SizeSettings

__all__ = ["PrefectCloudIntegration", "describe_sizes"]


class PrefectCloudIntegration:
    """Registration of flows under the name of a former Prefect Cloud project.

    Prefect 3 has no projects. The names of project and flow together identified a flow, as the names of deployment and flow
    do now, so the deployment gets the project's name. It also gets that name as a tag: Prefect filters flow runs by tag.

    Args:
        prefect_cloud_project_name: the project's name, which need not exist anywhere.
    """

    def __init__(self, prefect_cloud_project_name: str) -> None:
        self._project = prefect_cloud_project_name

    def register_flow_with_saturn(
        self,
        flow: AnyFlow,
        dask_cluster_kwargs: Mapping[str, object] | None = None,
        dask_adapt_kwargs: Mapping[str, object] | None = None,
        instance_size: str | None = None,
    ) -> AnyFlow:
        """Register a flow and print the result. `flow.register()` is no longer needed afterwards.

        Args:
            flow: the flow.
            dask_cluster_kwargs: `n_workers`, `nthreads` (of each worker) and `worker_size` of a Dask cluster for each flow run.
                None: no cluster, and tasks run in threads of the flow run.
            dask_adapt_kwargs: `minimum` and `maximum`, which must be the same.
            instance_size: must be None: a flow run uses the machine of its Prefect worker.

        Returns:
            The same flow.

        Raises:
            BadRequest: an argument cannot be applied, is unknown, or contradicts another.
            SatflowError: the flow was not registered; nothing was changed. The message states what to do.
        """
        from satflow_ext.compat import saturn_cluster
        from satflow_ext.kernel.api import register_choice
        from satflow_ext.models import Registration

        _check_project(self._project)
        _check_instance_size(instance_size)
        executor = saturn_cluster.convert_executor(dask_cluster_kwargs, dask_adapt_kwargs)
        choice = Registration(name=self._project, tags=(self._project,), executor=executor)
        done = register_choice(flow, choice, run=False)
        if done is not None:
            sys.stdout.write(f"{done}\n")
        return flow


def describe_sizes() -> dict[str, str]:
    """Return a description of each worker size by its name: `{"medium": "Medium - 2 cores - 4 GB RAM", …}`.

    Raises:
        SettingsWrong: the settings cannot be read.
    """
    from satflow_ext.settings import load_settings

    return {name: _describe_size(name, size) for name, size in load_settings().worker_sizes.items()}


def _describe_size(name: str, size: SizeSettings) -> str:
    """Describe a size as Saturn Cloud did, which called `2xlarge` 2XLarge."""
    title = name if size.gpus else name.title().replace("Xlarge", "XLarge")
    gpus = f" - {size.gpus} GPU" if size.gpus else ""
    return f"{title} - {size.cores} {'core' if size.cores == 1 else 'cores'} - {size.memory:g} GB RAM{gpus}"


def _check_project(name: object) -> None:
    """Refuse a name that is not text, such as None. Registration itself refuses text that is not a valid deployment name."""
    if not isinstance(name, str):
        kind = type(name).__qualname__
        field = "prefect_cloud_project_name"
        raise BadRequest(
            f"{field} is of type {kind}.", fix="Give a str: it becomes the deployment's name.", field=field
        )


def _check_instance_size(instance_size: object) -> None:
    if instance_size is not None:
        raise BadRequest(
            "instance_size cannot be applied: a flow run uses the machine of its Prefect worker.",
            fix="Leave it out. For another machine, register with satflow_ext.register(flow, work_pool=…).",
            field="instance_size",
        )
