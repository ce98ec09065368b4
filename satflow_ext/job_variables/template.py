"""A parsed base job template of a work pool: its variables, and their places in the job configuration.

The places and formats of cores, memory and GPUs depend on the worker type. They are those of the default base job templates of
`prefect-kubernetes` and `prefect-docker`. If an administrator has changed a template, the changed one decides. Image and
environment need no place: in all types, their variables are `image` and `env`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import JsonValue

from satflow_ext.endpoints import WORKER_TYPE
from satflow_ext.models import JsonObject

TemplatePath = tuple[str, ...]
"""A path into a job configuration; numbers are list indexes, and `*` matches any text."""

PLACEHOLDER = re.compile(r"^\{\{\s*(\w+)\s*\}\}$")
ENV = "env"
"""The job variable with environment variables by name, which all of Prefect's worker types have."""


@dataclass(frozen=True)
class Template:
    """The settings that a work pool offers for its flow runs.

    Args:
        pool: the work pool's name.
        type: the type of its Prefect workers, such as `kubernetes`.
        schema: the JSON schema of its job variables.
        configuration: the configuration of a job, with the names of job variables in braces.
    """

    pool: str
    type: str
    schema: JsonObject
    configuration: JsonObject

    @classmethod
    def parse(cls, pool: str, type: str, base_job_template: Mapping[str, Any]) -> Template:  # noqa: A002 - Prefect's word
        """Parse Prefect's template, which is empty if no Prefect worker has polled the work pool yet."""
        schema, configuration = base_job_template.get("variables"), base_job_template.get("job_configuration")
        return cls(pool, type, schema or {}, configuration or {})

    @property
    def variables(self) -> dict[str, JsonObject]:
        """Name → schema of each variable."""
        found = self.schema.get("properties")
        return {name: each for name, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the required variables that have no default."""
        found = self.schema.get("required")
        names = [str(name) for name in found] if isinstance(found, list) else []
        return tuple(name for name in names if "default" not in self.variables.get(name, {}))

    def variables_at(self, places: tuple[TemplatePath, ...]) -> tuple[str, ...]:
        """Return the variables at these places."""
        standing = [each for place in places for each in _values_at(self.configuration, place)]
        named = [match[1] for each in standing if isinstance(each, str) and (match := PLACEHOLDER.match(each))]
        return tuple(dict.fromkeys(name for name in named if name in self.variables))


def _values_at(value: JsonValue, place: TemplatePath) -> Iterator[JsonValue]:
    if not place:
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            if fnmatchcase(key, place[0]):
                yield from _values_at(each, place[1:])
    elif isinstance(value, list) and place[0].isdigit() and int(place[0]) < len(value):
        yield from _values_at(value[int(place[0])], place[1:])


def flatten_job_variables(job_variables: JsonObject) -> JsonObject:
    """Flatten job variables: `{"image": …, "env": {"A": "1"}}` → `{"image": …, "env.A": "1"}`."""
    found = {name: value for name, value in job_variables.items() if name != ENV}
    env = job_variables.get(ENV)
    if isinstance(env, dict):
        return found | {f"{ENV}.{name}": value for name, value in env.items()}
    return found if env is None else found | {ENV: env}


def nest_job_variables(single: JsonObject) -> JsonObject:
    """Nest flattened job variables again, as Prefect stores them."""
    env = {name.removeprefix(f"{ENV}."): value for name, value in single.items() if name.startswith(f"{ENV}.")}
    others = {name: value for name, value in single.items() if not name.startswith(f"{ENV}.")}
    return others | ({ENV: env} if env else {})


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
MEMORY_LIMIT_VARIABLE = "memory_limit"


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

PROCESS: dict[Resource, ResourceMapping] = {
    "memory": ResourceMapping(
        ((MEMORY_LIMIT_VARIABLE,),),
        float,
        f'"{MEMORY_LIMIT_VARIABLE}": "{{{{ {MEMORY_LIMIT_VARIABLE} }}}}", and a variable {MEMORY_LIMIT_VARIABLE} of type number',
    ),
}
"""SatFlow's own Prefect worker applies it (`run_template.worker`), whatever the type of the work pool; Prefect's does not."""

WORKER_TYPES: dict[str, dict[Resource, ResourceMapping]] = {
    "kubernetes": KUBERNETES,
    "docker": DOCKER,
    "process": PROCESS,
    WORKER_TYPE: PROCESS,
}
"""Supported worker types. For other types, only variables with the names of SatFlow's settings are used."""


def resource_variables(name: Resource, template: Template) -> tuple[str, ...]:
    """Return the job variables of a work pool that set the amount of a resource."""
    way = WORKER_TYPES.get(template.type, {}).get(name)
    return template.variables_at(way.places) if way else ()
