"""The expressions that the Jupyter server sends to a kernel, and the parser of the replies.

Each call is one constant expression for the `user_expressions` of a silent `execute_request`. Arguments are passed as one
JSON text inside a string literal, so no value can become code. Nothing is imported into the user's namespace.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from satflow_ext import errors
from satflow_ext.errors import KernelLacksPackage, KernelUnavailable, SatflowError

Json = dict[str, object]

MIME = "application/vnd.satflow+json"
EXPRESSION_KEY = "satflow"
BRIDGE_IMPORT = "__import__('satflow_ext.kernel.bridge', fromlist=['bridge'])"
INSTALLERS_KEY = "installers"
FIND_INSTALLERS = (
    "None if __import__('sys').modules.get('satflow_ext') else (__import__('sys').executable, "
    "__import__('importlib.util', fromlist=['util']).find_spec('pip') is not None, __import__('shutil').which('uv'))"
)
"""In a kernel that cannot load this package: its interpreter, whether it has pip, and the uv on its path."""


def build_flows_call() -> dict[str, str]:
    """Build the request for a FlowList, which also makes the kernel push changes from now on."""
    return _build_request("flows()")


def build_pack_call(
    variable: str,
    parameters: Mapping[str, object],
    schedules: Sequence[tuple[Mapping[str, object], Mapping[str, str]]],
    directory: str,
    include: Sequence[str] = (),
    parameter_texts: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Build the request for a PackedFlow.

    Args:
        variable: the flow's variable.
        parameters: values for its parameters, as JSON values.
        schedules: the parameters of each schedule, as JSON values and as text.
        directory: a private folder of this user on this machine, where the kernel puts the pickle and copies of data files.
        include: patterns of data files that are packed with the flow.
        parameter_texts: values for its other parameters as text, which is parsed by their types.
    """
    arguments = {
        "variable": variable,
        "parameters": dict(parameters),
        "schedules": [[dict(values), dict(texts)] for values, texts in schedules],
        "directory": directory,
        "include": list(include),
        "parameter_texts": dict(parameter_texts or {}),
    }
    return _build_request(f"pack({json.dumps(json.dumps(arguments))})")


def build_preflight_call(variable: str, include: Sequence[str] = ()) -> dict[str, str]:
    """Build the request for a Preflight of a flow, by its variable, and of the data files that are packed with it."""
    arguments = {"variable": variable, "include": list(include)}
    return _build_request(f"preflight({json.dumps(json.dumps(arguments))})")


def _build_request(call: str) -> dict[str, str]:
    return {EXPRESSION_KEY: f"{BRIDGE_IMPORT}.{call}", INSTALLERS_KEY: FIND_INSTALLERS}


def build_debug_call(run_id: str, task: str | None) -> dict[str, str]:
    """Build the request to load a run into the kernel, for a DebugCell. `task` is as for `DebugRequest`."""
    arguments = {"run_id": run_id, "task": task}
    return {EXPRESSION_KEY: f"{BRIDGE_IMPORT}.debug({json.dumps(json.dumps(arguments))})"}


def parse_reply(user_expressions: Mapping[str, object]) -> Json:
    """Return the JSON object of the kernel's reply.

    Args:
        user_expressions: the part of the `execute_reply` with that name.

    Raises:
        SatflowError: the kernel raised it; it has the same class here.
        KernelLacksPackage: `satflow_ext` or one of its dependencies is not installed there.
        KernelUnavailable: the kernel was interrupted, or its reply cannot be read.
    """
    answer = _as_object(user_expressions.get(EXPRESSION_KEY))
    if answer.get("status") == "error":
        installers = _as_object(_as_object(user_expressions.get(INSTALLERS_KEY)).get("data")).get("text/plain")
        raise _convert_kernel_error(str(answer.get("ename")), str(answer.get("evalue")), installers)
    content = _as_object(answer.get("data")).get(MIME)
    if not isinstance(content, dict):
        raise KernelUnavailable("The kernel's reply cannot be read.", fix="Restart the kernel and try again.")
    if "error" in content:
        raise _rebuild_error(_as_object(content["error"]))
    return cast(Json, content)


def _as_object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _convert_kernel_error(name: str, message: str, installers: object) -> SatflowError:
    """Convert an error outside of `satflow_ext` in the kernel: the import failed, or the kernel was interrupted."""
    if name == "KeyboardInterrupt":
        return KernelUnavailable("The kernel was interrupted before it answered.", fix="Try again.")
    if name in ("ModuleNotFoundError", "ImportError"):
        return KernelLacksPackage(
            f"This kernel's environment cannot load `satflow_ext`: {message}.",
            fix=f"Run {' and '.join(f'`{line}`' for line in _list_install_lines(installers))} in the notebook.",
        )
    return KernelUnavailable(f"The kernel failed before it answered: {name}: {message}.", fix="Restart the kernel.")


def _list_install_lines(installers: object) -> Iterator[str]:
    """List the lines of a cell that installs this package. Environments that uv made have no pip."""
    try:
        interpreter, has_pip, uv = ast.literal_eval(str(installers))
    except (ValueError, SyntaxError, TypeError):  # a kernel that is not IPython's
        interpreter, has_pip, uv = "", True, None
    if uv and not has_pip:
        yield f'!uv pip install --python "{interpreter}" satflow-ext'
        return
    if not has_pip:
        yield f'!"{interpreter}" -m ensurepip'
    yield "%pip install satflow-ext"


def _rebuild_error(body: Json) -> SatflowError:
    found = getattr(errors, str(body.get("error")), SatflowError)
    kind = found if isinstance(found, type) and issubclass(found, SatflowError) else SatflowError
    fix, field = body.get("fix"), body.get("field")
    return kind(
        str(body.get("message")),
        fix=str(fix) if fix is not None else None,
        field=str(field) if field is not None else None,
    )
