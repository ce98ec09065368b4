"""What a back end is: one small record that says everything about one way to get a Dask cluster for a flow run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from satflow_ext.gateways.worker_plan import Workers
from satflow_ext.models import JsonObject
from satflow_ext.settings import Settings

BACKEND_FIELD = "executor.options.backend"
OPTIONS_FIELD = "executor.options.backend_options"
"""Where a mistake stands: in the back end's name, or in what it is told besides."""


@dataclass(frozen=True)
class Asked(Workers):
    """A cluster as somebody asks a back end for it. It ends with its flow run; `idle_timeout` is for one that was left behind.

    Args:
        backend: its name.
        options: what it is told besides: keyword arguments of its class.
    """

    backend: str
    options: JsonObject


def its_options(asked: Asked) -> dict[str, Any]:
    """What the class is called with where the options say all of it."""
    return dict(asked.options)


def gives_anything(asked: Asked, settings: Settings) -> None:
    """For back ends that give whatever is asked for."""


@dataclass(frozen=True)
class Missing:
    """Of Dask workers that were asked for and are not there: why, in words, and the names of those that will never come."""

    why: str | None = None
    gone: frozenset[str] = frozenset()


def not_there(cluster: Any) -> dict[Any, Any]:
    """Of a `SpecCluster`: name → what it has started for each Dask worker that the scheduler does not know."""
    there = {str(row["name"]) for row in dict(cluster.scheduler_info["workers"]).values()}
    return {name: each for name, each in dict(cluster.workers).items() if str(name) not in there}


def takes_anything(asked: Asked) -> None:
    """For back ends whose options are their class's to judge."""


def knows_nothing(cluster: Any) -> Missing:
    """For back ends that cannot tell what Dask workers wait for."""
    return Missing()


@dataclass(frozen=True)
class BackEnd:
    """One way to get a Dask cluster that lives as long as its flow run.

    Args:
        name: what users type.
        cluster_class: what makes a cluster, as `module:Class`, imported in the flow run only.
        arguments: the keyword arguments that it is called with; called in the flow run.
        install: the command that installs what it needs, where something else than SatFlow has to be there.
        owned: keyword arguments that SatFlow sets itself, and the option of the executor that says the same.
        sizes: whether it takes worker sizes.
        refuse: raises where what is asked for makes no sense anywhere; asks nobody.
        check: raises where a run on this machine could not have what is asked for; called when registering, and may ask.
        missing: what became of Dask workers that are not there; raises `ClusterFailed` where there is no hope.
    """

    name: str
    cluster_class: str
    arguments: Callable[[Asked], dict[str, Any]] = its_options
    install: str | None = None
    owned: dict[str, str] = field(default_factory=dict)
    sizes: bool = True
    refuse: Callable[[Asked], None] = takes_anything
    check: Callable[[Asked, Settings], None] = gives_anything
    missing: Callable[[Any], Missing] = knows_nothing
