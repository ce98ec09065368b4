"""The kinds of user data that Prefect may receive: one entry each, with the text for docs/what-prefect-sees.md."""

from __future__ import annotations

from dataclasses import dataclass

from satflow_ext.settings import RedactionLevel

LEVELS: tuple[RedactionLevel, ...] = ("types", "messages", "everything")
"""The levels of `tell_prefect`, in order of increasing information."""


@dataclass(frozen=True)
class Fact:
    """One kind of data that Prefect may receive.

    Args:
        what: a description.
        choice: how the user controls it, and how to keep it private.
        lowest_level: the lowest level of `tell_prefect` at which it is sent.
    """

    what: str
    choice: str
    lowest_level: RedactionLevel = "types"


FACTS = {
    "name": Fact(
        "Names of flows, tasks and their parameters, deployments, tags, runs, work pools, Prefect workers and stores",
        "You name them.",
    ),
    "parameter schema": Fact(
        "Names and types of a flow's parameters: names of models, their fields and titles, values of enumerations, limits, "
        "patterns",
        "Prefect validates values with it. For a parameter annotated as `dict`, the schema contains only that type. Defaults, "
        "descriptions, docstrings and examples are omitted.",
    ),
    "description": Fact("The description of a deployment", "You write it. The flow's docstring is not sent."),
    "parameter value": Fact(
        "Values of parameters that you set for a deployment or a run",
        "You set them. Pass the name of a secret or of a file instead of its contents.",
    ),
    "log line": Fact(
        "Log lines of Prefect's logger in a flow, and output of `print` with `log_prints=True`",
        "You write them. With `PREFECT_LOGGING_TO_API_ENABLED=false` on the machine of the run, none are sent; output of `print` "
        "without `log_prints` is never sent.",
    ),
    "state message": Fact("Messages of states that a flow returns", "You write them."),
    "artifact": Fact("Artifacts: key, description and data", "A flow creates them by calling Prefect."),
    "result key": Fact(
        "Locations of *persisted* results of tasks: the path or key, not the result",
        "You persist them (`persist_result=True`). Otherwise, nothing about results is sent.",
    ),
    "result reference": Fact(
        "For the result of a flow: the store's name and a digest that is different for each run, or why it was not stored",
        "The result itself is in your store ([runs.md](runs.md)). With `result_limit = 0` on the machine of the run, none is "
        "stored, and nothing is sent.",
    ),
    "reference to inputs": Fact(
        "For the inputs of failed tasks: the store's name and a digest that is different for each task run, and the names of the "
        "inputs that were not kept, with the reason",
        "The inputs themselves are in your store ([runs.md](runs.md)). With `inputs_limit = 0` on the machine of the run, none "
        "are kept.",
    ),
    "secret name": Fact("Names of the secrets that a flow declares", "You name them. Their values are never sent."),
    "place in code": Fact(
        "Locations of exceptions in code: names of files without their folders, line numbers, names of functions",
        "With `PREFECT_LOGGING_TO_API_ENABLED=false` on the machine of the run, no tracebacks are sent.",
    ),
    "types of exceptions": Fact("Names of the types of exceptions", "You name your own exception types."),
    "messages of exceptions": Fact(
        "Messages of exceptions", 'With `tell_prefect = "types"`, only the types are sent.', lowest_level="messages"
    ),
    "lines of code": Fact(
        "The lines of code in tracebacks", 'Only with `tell_prefect = "everything"`.', lowest_level="everything"
    ),
    "arguments of nested flows": Fact(
        "Arguments of flows that are called inside a flow, including defaults",
        'Only with `tell_prefect = "everything"`; otherwise, their types are sent.',
        lowest_level="everything",
    ),
    "places": Fact(
        "Addresses of clusters and stores, and the paths of SatFlow's folders, the home folder and the environment, in any text",
        'Only with `tell_prefect = "everything"`; otherwise `~`, `[cluster address]`, `[store NAME]` and so on.',
        lowest_level="everything",
    ),
    "digest": Fact("The manifest's sha256, with the store's name", "They pin the version that runs."),
    "flow version": Fact(
        "A flow's `version`",
        "You set it (`@flow(version=...)`). Otherwise, Prefect uses a hash of the flow's file, if it has one.",
    ),
    "job variable": Fact(
        "Infrastructure of runs: image, cores, memory, GPUs, environment variables, and other job variables of the work pool",
        "You set them. A value that looks like a credential is refused: declare a secret by name.",
    ),
    "schedule": Fact("Schedules: cron, interval or rrule, with time zone", "You set them."),
    "write marker": Fact(
        "How often SatFlow has written a deployment: a number, in a Prefect variable named `satflow_` and 32 hexadecimal digits",
        "Only on the local stack: it distinguishes a deleted deployment from one that was lost in a power failure.",
    ),
    "command": Fact(
        "The path of the interpreter that runs the flow, only on the local stack",
        "Its Prefect server is on the same machine.",
    ),
    "credential": Fact("The credential of that Prefect API itself", "You provide it. It is sent to that address only."),
    "packages": Fact(
        "Names and versions of packages that differ between registration and run",
        "SatFlow writes them to the run's log; register from an environment like the worker's.",
    ),
}
"""Name → fact. All other content of fields is Prefect's own bookkeeping: ids, times, states, versions, settings."""


def is_sent_at(fact: str, level: RedactionLevel) -> bool:
    """Return whether a fact is sent at a level."""
    return LEVELS.index(FACTS[fact].lowest_level) <= LEVELS.index(level)
