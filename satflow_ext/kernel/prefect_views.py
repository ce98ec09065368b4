"""Views of flows, tasks and task runners: their options, without the attributes that Prefect derives from them.

Prefect puts the hash of the defining file into `version` and its path into `_entrypoint`; both change for reasons unrelated to
the flow.
"""

from __future__ import annotations

import re
from typing import Any

from satflow_ext.kernel.flow_discovery import prefect_class
from satflow_ext.kernel.key_value import KeyValue

ViewParts = tuple[str, tuple[object, ...], list[tuple[str, object]]]

DERIVED_ATTRIBUTES = frozenset(
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


def view_parts(value: object) -> ViewParts | None:
    """Return kind, facts and parts of an object of Prefect; None for all others."""
    kind = type(value)
    for module, name, view in _VIEWS:
        prefect_type = prefect_class(module, name)
        if prefect_type is not None and issubclass(kind, prefect_type):
            return view(value)
    return None


def _flow_parts(value: Any) -> ViewParts:
    options = {name: each for name, each in vars(value).items() if name not in DERIVED_ATTRIBUTES}
    parts: list[tuple[str, object]] = [("", value.fn)]
    parts += [(f".{name}", KeyValue((name, options[name]))) for name in sorted(options)]
    return type(value).__qualname__, (_user_version(value.version),), parts


def _user_version(version: str | None) -> str | None:
    """Return the version that the user set; None for the hash of a file, which Prefect sets by default."""
    return None if version and re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", version) else version


def _task_runner_parts(value: Any) -> ViewParts:
    """Return type and options. Attributes with an underscore are state of a running task runner, except `_max_workers`."""
    options = {name: each for name, each in vars(value).items() if not name.startswith("_") and name != "logger"}
    options["max_workers"] = getattr(value, "_max_workers", None)
    return (
        "task runner",
        (),
        [("", type(value)), *((f".{name}", KeyValue((name, options[name]))) for name in sorted(options))],
    )


def _validator_parts(value: Any) -> ViewParts:
    """Return a view of pydantic's record of a validator, without the address of its class."""
    return "validator", (value.cls_var_name,), [("", value.func), ("", value.info)]


_VIEWS = (
    ("prefect.flows", "Flow", _flow_parts),
    ("prefect.tasks", "Task", _flow_parts),
    ("prefect.task_runners", "TaskRunner", _task_runner_parts),
    ("pydantic._internal._decorators", "Decorator", _validator_parts),
)
