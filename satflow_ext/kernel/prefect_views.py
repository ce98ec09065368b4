"""Views of flows, tasks and task runners: their options, without the attributes that Prefect derives from them.

Prefect puts the hash of the defining file into `version` and its path into `_entrypoint`; both change for reasons unrelated to
the flow.
"""

from __future__ import annotations

import re
from typing import Any

from satflow_ext.kernel.flow_discovery import prefect_class
from satflow_ext.kernel.key_value import Pair

Special = tuple[str, tuple[object, ...], list[tuple[str, object]]]

DERIVED = frozenset(
    {
        "fn",
        "parameters",
        "isasync",
        "isgenerator",
        "source_code",
        "task_key",
        "version",
        "__wrapped__",
        "__module__",
        "__doc__",
        "__name__",
        "__qualname__",
        "__annotations__",
        "__annotate__",
        "__type_params__",
        "_entrypoint",
        "_storage",
        "_flow_loader",
    }
)


def parts_of(value: object) -> Special | None:
    """Return kind, facts and parts of an object of Prefect; None for all others."""
    kind = type(value)
    for module, name, view in _VIEWS:
        prefect_type = prefect_class(module, name)
        if prefect_type is not None and issubclass(kind, prefect_type):
            return view(value)
    return None


def _flow_or_task(value: Any) -> Special:
    options = {name: each for name, each in vars(value).items() if name not in DERIVED}
    parts: list[tuple[str, object]] = [("", value.fn)]
    parts += [(f".{name}", Pair((name, options[name]))) for name in sorted(options)]
    return type(value).__qualname__, (_written_version(value.version),), parts


def _written_version(version: str | None) -> str | None:
    """Return the version that the user set; None for the hash of a file, which Prefect sets by default."""
    return None if version and re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", version) else version


def _task_runner(value: Any) -> Special:
    """Return type and options. Attributes with an underscore are state of a running task runner, except `_max_workers`."""
    options = {name: each for name, each in vars(value).items() if not name.startswith("_") and name != "logger"}
    options["max_workers"] = getattr(value, "_max_workers", None)
    return (
        "task runner",
        (),
        [("", type(value)), *((f".{name}", Pair((name, options[name]))) for name in sorted(options))],
    )


def _validator(value: Any) -> Special:
    """Return a view of pydantic's record of a validator, without the address of its class."""
    return "validator", (value.cls_var_name,), [("", value.func), ("", value.info)]


_VIEWS = (
    ("prefect.flows", "Flow", _flow_or_task),
    ("prefect.tasks", "Task", _flow_or_task),
    ("prefect.task_runners", "TaskRunner", _task_runner),
    ("pydantic._internal._decorators", "Decorator", _validator),
)
