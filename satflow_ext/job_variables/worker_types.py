"""Prefect's worker types: the places and formats of cores, memory and GPUs in their job configurations.

The places are those of the default base job templates of `prefect-kubernetes` and `prefect-docker`. If an administrator has
changed a template, the changed one decides. Image and environment need no place: in all types, their variables are `image`
and `env`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from satflow_ext.endpoints import WORKER_TYPE
from satflow_ext.job_variables.template import Template, TemplatePath

Resource = Literal["cpu", "memory", "gpus"]
RESOURCES: tuple[Resource, ...] = ("cpu", "memory", "gpus")


@dataclass(frozen=True)
class ResourceMapping:
    """The way to request one resource.

    Args:
        places: places in the job configuration; the variables at these places are set.
        format_amount: converts cores, GiB of memory or a number of GPUs to the value of a variable.
        missing_part: the addition to a template that has no variable for the resource.
    """

    places: tuple[TemplatePath, ...]
    format_amount: Callable[[float], JsonValue]
    missing_part: str


RESOURCES_OF_POD: TemplatePath = ("job_manifest", "spec", "template", "spec", "containers", "0", "resources")
CREATE_KWARGS = "container_create_kwargs"


def _pod_places(resource: str) -> tuple[TemplatePath, ...]:
    """Return the places of request and limit: the run gets the requested amount, and no more."""
    return ((*RESOURCES_OF_POD, "requests", resource), (*RESOURCES_OF_POD, "limits", resource))


def _missing_pod_part(resource: str, variable: str) -> str:
    return f'"{resource}": "{{{{ {variable} }}}}" below resources.limits, and a variable {variable}'


KUBERNETES: dict[Resource, ResourceMapping] = {
    "cpu": ResourceMapping(
        _pod_places("cpu"), lambda cores: f"{round(cores * 1000)}m", _missing_pod_part("cpu", "cpu_limit")
    ),
    "memory": ResourceMapping(
        _pod_places("memory"), lambda gib: f"{round(gib * 1024)}Mi", _missing_pod_part("memory", "memory_limit")
    ),
    "gpus": ResourceMapping(
        ((*RESOURCES_OF_POD, "limits", "*/gpu"), (*RESOURCES_OF_POD, "limits", "*/gpu.*")),
        int,
        _missing_pod_part("nvidia.com/gpu", "gpus"),
    ),
}

DOCKER: dict[Resource, ResourceMapping] = {
    "cpu": ResourceMapping(
        ((CREATE_KWARGS,),), lambda cores: {"nano_cpus": round(cores * 1e9)}, f"the variable {CREATE_KWARGS}"
    ),
    "memory": ResourceMapping((("mem_limit",),), lambda gib: f"{round(gib * 1024)}m", "the variable mem_limit"),
    "gpus": ResourceMapping(
        ((CREATE_KWARGS,),),
        lambda count: {"device_requests": [{"count": int(count), "capabilities": [["gpu"]]}]},
        f"the variable {CREATE_KWARGS}",
    ),
}

WORKER_TYPES: dict[str, dict[Resource, ResourceMapping]] = {
    "kubernetes": KUBERNETES,
    "docker": DOCKER,
    "process": {},
    WORKER_TYPE: {},
}
"""Supported worker types. For other types, only variables with the names of SatFlow's settings are used."""


def resource_variables(name: Resource, template: Template) -> tuple[str, ...]:
    """Return the job variables of a work pool that set the amount of a resource."""
    way = WORKER_TYPES.get(template.type, {}).get(name)
    return template.variables_at(way.places) if way else ()
