"""The public functions, from their signatures and docstrings."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from contract import definitions

import satflow_ext
from reference_pages.markdown import code, default, parse_docstring, table
from satflow_ext.compat import prefect_saturn
from satflow_ext.display.preflight import CheckedFlow
from satflow_ext.display.registered_flow import RegisteredFlow
from satflow_ext.kernel.debug_run import DebugRun
from satflow_ext.kernel.load_flow import LoadedFlow

HEAD = """# Python

`import satflow_ext` loads no other module; each function is loaded when it is first used.
Exceptions are subclasses of `satflow_ext.errors.SatflowError`: [errors.md](errors.md).
"""
RESULTS = {
    RegisteredFlow: "Result of `register`.",
    CheckedFlow: "Result of `preflight`.",
    LoadedFlow: "Result of `%load_flow`.",
    DebugRun: "Result of `debug_run` and `%debug_run`.",
}


def render_python() -> str:
    """Render the page."""
    functions = ((f"satflow_ext.{name}", getattr(satflow_ext, name)) for name in satflow_ext.__all__)
    parts = [_function(*each) for each in functions]
    parts += ["\n## Results\n", *(_result(*each) for each in RESULTS.items())]
    parts += ["\n## For users of prefect-saturn\n\nHow to migrate: [the guide](../migrating-from-prefect-saturn.md).\n"]
    parts += [_function(name, function, "###") for name, function in _saturn_functions()]
    return HEAD + "".join(parts)


def _saturn_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the functions and classes, each class with its methods after it."""
    for name in prefect_saturn.__all__:
        found = getattr(prefect_saturn, name)
        yield f"{prefect_saturn.__name__}.{name}", found
        members = vars(found).items() if inspect.isclass(found) else ()
        yield from ((f"{name}.{each}", member) for each, member in members if not each.startswith("_"))


def _function(name: str, function: Callable[..., Any], level: str = "##") -> str:
    described = parse_docstring(function)
    parts = [f"\n{level} {name}\n\n```python\n{_signature(name, function)}\n```\n\n{described.text}\n"]
    parameters = inspect.signature(function).parameters
    if described.arguments:
        rows = ((code(each), _default(parameters.get(each)), text) for each, text in described.arguments.items())
        parts.append("\n" + table(("argument", "default", "meaning"), rows))
    if described.returns:
        parts.append(f"\n**Returns** {described.returns}\n")
    if described.raises:
        rows = ((code(each), text) for each, text in described.raises.items())
        parts.append("\n" + table(("raises", "if"), rows))
    return "".join(parts)


def _signature(name: str, function: Callable[..., Any]) -> str:
    parameters = [_parameter(each) for each in inspect.signature(function).parameters.values() if each.name != "self"]
    return f"{name.rpartition('.')[2]}({', '.join(_with_star(function, parameters))})"


def _with_star(function: Callable[..., Any], parameters: list[str]) -> Iterator[str]:
    kinds = [each.kind for each in inspect.signature(function).parameters.values() if each.name != "self"]
    for index, (kind, text) in enumerate(zip(kinds, parameters, strict=True)):
        if kind is inspect.Parameter.KEYWORD_ONLY and inspect.Parameter.KEYWORD_ONLY not in kinds[:index]:
            yield "*"
        yield text


def _parameter(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    return parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"


def _default(parameter: inspect.Parameter | None) -> str:
    if parameter is None or parameter.kind is parameter.VAR_KEYWORD:
        return ""
    return "required" if parameter.default is parameter.empty else default(parameter.default)


def _result(result: type, purpose: str) -> str:
    heading = f"\n### {result.__name__}\n\n{purpose} {parse_docstring(result).text}\n"
    return heading + "\n" + table(("attribute", "type", "meaning"), _attributes(result))


def _attributes(result: type) -> Iterator[tuple[str, str, str]]:
    """Yield the fields, properties and methods of a dataclass."""
    for field in dataclasses.fields(result):
        yield code(field.name), _type(str(field.type)), ""
    for name, member in vars(result).items():
        function = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and inspect.isfunction(function):
            returned = inspect.signature(function).return_annotation
            yield (
                code(name if isinstance(member, property) else f"{name}()"),
                _type(returned),
                parse_docstring(function).text,
            )


def _type(annotation: str) -> str:
    """Render a type; a wire model becomes a link."""
    name = annotation.partition(" | ")[0]
    return code(annotation) if name not in definitions() else f"[{code(annotation)}](rest.md#{name.lower()})"
