"""What Prefect may learn of the user's: one entry for each kind of thing, in the words of docs/what-prefect-sees.md."""

from __future__ import annotations

from dataclasses import dataclass

from satflow_ext.settings import Telling

LEVELS: tuple[Telling, ...] = ("types", "messages", "everything")
"""From the least to the most."""


@dataclass(frozen=True)
class Fact:
    """One kind of thing that Prefect may learn.

    Args:
        what: in words.
        choice: whose choice it is, and what to do where it should not become known.
        since: the lowest level of `tell_prefect` at which it is told.
    """

    what: str
    choice: str
    since: Telling = "types"


FACTS = {
    "name": Fact(
        "Names of flows, tasks and their parameters, deployments, tags, runs, work pools, Prefect workers and stores",
        "You name them.",
    ),
    "parameter schema": Fact(
        "Names and types of a flow's parameters: names of models, their fields and titles, values of enumerations, limits, "
        "patterns",
        "Prefect checks values with it. Of a parameter annotated as `dict` it says no more than that. Defaults, descriptions, "
        "docstrings and examples are left out.",
    ),
    "parameter value": Fact(
        "Values of parameters that you set for a deployment or a run",
        "You set them. Pass the name of a secret or of a file instead of what it holds.",
    ),
    "log line": Fact(
        "What a flow logs with Prefect's logger, and prints with `log_prints=True`",
        "You write it. `PREFECT_LOGGING_TO_API_ENABLED=false` where flows run sends none, and `print` without `log_prints` "
        "is not sent.",
    ),
    "state message": Fact("Messages of states that a flow returns", "You write them."),
    "artifact": Fact("Artifacts: key, description and data", "A flow makes them by calling Prefect for it."),
    "result key": Fact(
        "Where a *persisted* result of a task is kept: the path or key, not the result",
        "You persist them (`persist_result=True`). Without, nothing is told of results.",
    ),
    "secret name": Fact("Names of the secrets that a flow declares", "You name them. The values are never told."),
    "place in code": Fact(
        "Where an exception was raised: names of files without their folders, line numbers, names of functions",
        "`PREFECT_LOGGING_TO_API_ENABLED=false` where flows run sends no tracebacks.",
    ),
    "types of exceptions": Fact("Names of the types of exceptions", "You name those that are yours."),
    "words of exceptions": Fact(
        "What exceptions say", '`tell_prefect = "types"` leaves only the types.', since="messages"
    ),
    "lines of code": Fact(
        "The lines of code in tracebacks", 'Only with `tell_prefect = "everything"`.', since="everything"
    ),
    "values given to nested flows": Fact(
        "Arguments of flows that are called inside of a flow, defaults included",
        'Only with `tell_prefect = "everything"`; else their types.',
        since="everything",
    ),
    "places": Fact(
        "Addresses of clusters and stores, and the folders of SatFlow, the home and the environment, where a text names them",
        'Only with `tell_prefect = "everything"`; else `~`, `[cluster address]`, `[store NAME]` and so on.',
        since="everything",
    ),
    "digest": Fact("The manifest's sha256, with the store's name", "It pins the version that runs."),
    "flow version": Fact(
        "A flow's `version`",
        "You set it (`@flow(version=...)`). Without, Prefect takes a hash of the file that the flow is in, where there is one.",
    ),
    "job variable": Fact(
        "What a work pool is to start runs with: image, cores, memory, GPUs, environment variables, and its other job variables",
        "You set them. What looks like a credential is refused: declare it by name.",
    ),
    "schedule": Fact("Schedules: cron, interval or rrule, with time zone", "You set them."),
    "witness": Fact(
        "How often SatFlow has written a deployment: a number, in a Prefect variable called `satflow_` and 32 hexadecimal digits",
        "On the local stack alone: it tells a deployment that somebody deleted from one that a power cut took.",
    ),
    "command": Fact(
        "The path of the interpreter that runs it, on the local stack alone",
        "Its Prefect server is on the same machine.",
    ),
    "credential": Fact("The credential of that Prefect API itself", "You give it. It goes to that address only."),
    "packages": Fact(
        "Names and versions of packages that differ between registration and run",
        "SatFlow says so in the run's log; register from an environment like the worker's.",
    ),
}
"""Name → what it is. Whatever else a field holds is Prefect's own bookkeeping: ids, times, states, versions, settings."""


def told_at(fact: str, level: Telling) -> bool:
    """Whether a fact is told at a level."""
    return LEVELS.index(FACTS[fact].since) <= LEVELS.index(level)
