"""What `prefect_saturn` had, for Prefect 3 flows: `docs/migrating-from-prefect-saturn.md` takes old code here.

prefect-saturn 0.6.0 exported `PrefectCloudIntegration` and `describe_sizes`, and ignored arguments that it could not follow.
Here everything goes the way of `satflow_ext.register`, and what cannot be followed is refused.
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
    """Registers flows under the name of what was a Prefect Cloud project.

    Prefect 3 has no projects. A project and a flow's name together told flows apart, as a deployment's name and a flow's name
    do now, so the deployment gets the project's name. It gets it as a tag, too: Prefect filters flow runs by that.

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
        """Register a flow, and say what was made. A `flow.register()` is not needed after it any more.

        Args:
            flow: the flow.
            dask_cluster_kwargs: `n_workers`, `nthreads` (of each worker) and `worker_size` of a Dask cluster for each flow run.
                None: no cluster, and tasks run in threads of the flow run.
            dask_adapt_kwargs: `minimum` and `maximum`, which must be the same.
            instance_size: must be None: a flow run has the machine of its Prefect worker.

        Returns:
            The same flow.

        Raises:
            BadRequest: an argument asks for what cannot be had, is unknown, or contradicts another.
            SatflowError: it could not be registered; nothing was changed. The message says what to do.
        """
        from satflow_ext.compat import saturn_cluster
        from satflow_ext.kernel.api import registered
        from satflow_ext.models import Registration

        _check_project(self._project)
        _check_instance_size(instance_size)
        executor = saturn_cluster.executor(dask_cluster_kwargs, dask_adapt_kwargs)
        choice = Registration(name=self._project, tags=(self._project,), executor=executor)
        done = registered(flow, choice, run=False)
        if done is not None:
            sys.stdout.write(f"{done}\n")
        return flow


def describe_sizes() -> dict[str, str]:
    """What each worker size is, by its name: `{"medium": "Medium - 2 cores - 4 GB RAM", …}`.

    Raises:
        SettingsWrong: the settings cannot be read.
    """
    from satflow_ext.settings import load_settings

    return {name: _described(name, size) for name, size in load_settings().worker_sizes.items()}


def _described(name: str, size: SizeSettings) -> str:
    """In Saturn Cloud's words, which called `2xlarge` 2XLarge."""
    title = name if size.gpus else name.title().replace("Xlarge", "XLarge")
    gpus = f" - {size.gpus} GPU" if size.gpus else ""
    return f"{title} - {size.cores} {'core' if size.cores == 1 else 'cores'} - {size.memory:g} GB RAM{gpus}"


def _check_project(name: object) -> None:
    """Refuse what registering would take for no name given. What is no name for a deployment it refuses itself."""
    if not isinstance(name, str):
        kind = type(name).__qualname__
        field = "prefect_cloud_project_name"
        raise BadRequest(f"{field} is a {kind}.", fix="Give a text: it becomes the deployment's name.", field=field)


def _check_instance_size(instance_size: object) -> None:
    if instance_size is not None:
        raise BadRequest(
            "instance_size cannot be followed: a flow run has the machine of its Prefect worker.",
            fix="Leave it out. For another machine, register with satflow_ext.register(flow, work_pool=…).",
            field="instance_size",
        )
