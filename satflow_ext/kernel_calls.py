"""What the Jupyter server asks a kernel to evaluate, and how it reads the answer.

Each call is one constant expression for the `user_expressions` of a silent `execute_request`. Arguments travel as one JSON text
inside a string literal, so no value can become code. Nothing is imported into the user's namespace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from satflow_ext import errors
from satflow_ext.errors import KernelLacksPackage, KernelUnavailable, SatflowError

Json = dict[str, object]

MIME = "application/vnd.satflow+json"
KEY = "satflow"
BRIDGE = "__import__('satflow_ext.kernel.bridge', fromlist=['bridge'])"


def flows_call() -> dict[str, str]:
    """Asks for a FlowList, and to push changes from now on."""
    return {KEY: f"{BRIDGE}.flows()"}


def pack_call(
    variable: str,
    parameters: Mapping[str, object],
    has_schedule: bool,
    directory: str,
    include: Sequence[str] = (),
    parameter_texts: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Asks for a PackedFlow.

    Args:
        variable: the flow's variable.
        parameters: values for its parameters; JSON.
        has_schedule: whether every required parameter needs a value.
        directory: a private folder of this user on this machine, where the kernel puts the pickle and copies of data files.
        include: patterns of data files that travel with the flow.
        parameter_texts: values for its other parameters as text, to be read by their types.
    """
    arguments = {
        "variable": variable,
        "parameters": dict(parameters),
        "has_schedule": has_schedule,
        "directory": directory,
        "include": list(include),
        "parameter_texts": dict(parameter_texts or {}),
    }
    return {KEY: f"{BRIDGE}.pack({json.dumps(json.dumps(arguments))})"}


def preflight_call(variable: str, include: Sequence[str] = ()) -> dict[str, str]:
    """Asks for a Preflight of a flow, by its variable, and of the data files that are to travel with it."""
    arguments = {"variable": variable, "include": list(include)}
    return {KEY: f"{BRIDGE}.preflight({json.dumps(json.dumps(arguments))})"}


def read_reply(user_expressions: Mapping[str, object]) -> Json:
    """The JSON object that the kernel answered with.

    Args:
        user_expressions: that part of the `execute_reply`.

    Raises:
        SatflowError: what the kernel's part raised, as the class it raised.
        KernelLacksPackage: `satflow_ext` or something that it needs is not installed there.
        KernelUnavailable: it was interrupted, or gave no answer that can be read.
    """
    answer = _object(user_expressions.get(KEY))
    if answer.get("status") == "error":
        raise _import_failed(str(answer.get("ename")), str(answer.get("evalue")))
    content = _object(answer.get("data")).get(MIME)
    if not isinstance(content, dict):
        raise KernelUnavailable("The kernel gave no answer that can be read.", fix="Restart the kernel and try again.")
    if "error" in content:
        raise _typed(_object(content["error"]))
    return cast(Json, content)


def _object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _import_failed(name: str, message: str) -> SatflowError:
    """An error outside of what the kernel's part catches: it could not be imported, or it was interrupted."""
    if name == "KeyboardInterrupt":
        return KernelUnavailable("The kernel was interrupted before it answered.", fix="Try again.")
    if name in ("ModuleNotFoundError", "ImportError"):
        return KernelLacksPackage(
            f"This kernel's environment cannot load `satflow_ext`: {message}.",
            fix="Run `%pip install satflow-ext` in the notebook.",
        )
    return KernelUnavailable(f"The kernel failed before it answered: {name}: {message}.", fix="Restart the kernel.")


def _typed(body: Json) -> SatflowError:
    found = getattr(errors, str(body.get("error")), SatflowError)
    kind = found if isinstance(found, type) and issubclass(found, SatflowError) else SatflowError
    fix, field = body.get("fix"), body.get("field")
    return kind(
        str(body.get("message")),
        fix=str(fix) if fix is not None else None,
        field=str(field) if field is not None else None,
    )
