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

from satflow_ext.job_variables.template import Place, Template

Resource = Literal["cpu", "memory", "gpus"]
RESOURCES: tuple[Resource, ...] = ("cpu", "memory", "gpus")


@dataclass(frozen=True)
class Way:
    """The way to request one resource.

    Args:
        places: places in the job configuration; the variables at these places are set.
        spell: converts cores, GiB of memory or a number of GPUs to the value of a variable.
        room: the addition to a template that has no variable for the resource.
    """

    places: tuple[Place, ...]
    spell: Callable[[float], JsonValue]
    room: str


RESOURCES_OF_POD: Place = ("job_manifest", "spec", "template", "spec", "containers", "0", "resources")
CREATE = "container_create_kwargs"


def _pod_places(resource: str) -> tuple[Place, ...]:
    """Return the places of request and limit: the run gets the requested amount, and no more."""
    return ((*RESOURCES_OF_POD, "requests", resource), (*RESOURCES_OF_POD, "limits", resource))


def _room_in_pod(resource: str, variable: str) -> str:
    return f'"{resource}": "{{{{ {variable} }}}}" below resources.limits, and a variable {variable}'


KUBERNETES: dict[Resource, Way] = {
    "cpu": Way(_pod_places("cpu"), lambda cores: f"{round(cores * 1000)}m", _room_in_pod("cpu", "cpu_limit")),
    "memory": Way(_pod_places("memory"), lambda gib: f"{round(gib * 1024)}Mi", _room_in_pod("memory", "memory_limit")),
    "gpus": Way(
        ((*RESOURCES_OF_POD, "limits", "*/gpu"), (*RESOURCES_OF_POD, "limits", "*/gpu.*")),
        int,
        _room_in_pod("nvidia.com/gpu", "gpus"),
    ),
}

DOCKER: dict[Resource, Way] = {
    "cpu": Way(((CREATE,),), lambda cores: {"nano_cpus": round(cores * 1e9)}, f"the variable {CREATE}"),
    "memory": Way((("mem_limit",),), lambda gib: f"{round(gib * 1024)}m", "the variable mem_limit"),
    "gpus": Way(
        ((CREATE,),),
        lambda count: {"device_requests": [{"count": int(count), "capabilities": [["gpu"]]}]},
        f"the variable {CREATE}",
    ),
}

WORKER_TYPES: dict[str, dict[Resource, Way]] = {"kubernetes": KUBERNETES, "docker": DOCKER, "process": {}}
"""Supported worker types. For other types, only variables with the names of SatFlow's settings are used."""


def variables_of(name: Resource, template: Template) -> tuple[str, ...]:
    """Return the job variables of a work pool that set the amount of a resource."""
    way = WORKER_TYPES.get(template.type, {}).get(name)
    return template.at(way.places) if way else ()
