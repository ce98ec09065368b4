"""Prefect's worker types: where their job configurations have room for cores, memory and GPUs, and in which words.

The places are those of the default base job templates of `prefect-kubernetes` and `prefect-docker`; a template that an
administrator has changed counts as it is. Image and environment need no place: all types call the variables `image` and `env`.
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
    """How one resource is asked for.

    Args:
        places: in the job configuration; the variables that stand there are set.
        spell: turns cores, GiB of memory or a number of GPUs into what stands there.
        room: what makes room for it in a template that has none.
    """

    places: tuple[Place, ...]
    spell: Callable[[float], JsonValue]
    room: str


RESOURCES_OF_POD: Place = ("job_manifest", "spec", "template", "spec", "containers", "0", "resources")
CREATE = "container_create_kwargs"


def _pod_places(resource: str) -> tuple[Place, ...]:
    """A request and its limit: the run gets what it asks for, and no more."""
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
"""Types whose words are known here; of others, only what they call by the same name."""


def variables_of(name: Resource, template: Template) -> tuple[str, ...]:
    """The job variables of a work pool that say how much of a resource a run gets."""
    way = WORKER_TYPES.get(template.type, {}).get(name)
    return template.at(way.places) if way else ()
