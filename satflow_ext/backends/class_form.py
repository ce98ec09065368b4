"""`python -m satflow_ext.backends.class_form module:Class`: the arguments of a class, as a JSON schema for a form.

The schema is built from the signature, the documentation and the current Dask configuration. This runs in a separate process
with the interpreter of the flow runs: importing a third-party class may have any side effect, and the packages of a cloud
provider may be installed only there.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import JsonValue

from satflow_ext.backends import find_provider, signature
from satflow_ext.backends.argument_schema import (
    is_json_value,
    schema_of_annotation,
    schema_of_default,
    schema_of_documented_type,
)
from satflow_ext.backends.configured_defaults import read_configured_defaults
from satflow_ext.backends.docstring_parameters import ParameterDoc, first_paragraph, parse_docstrings
from satflow_ext.credentials.shapes import is_credential_name
from satflow_ext.models import ClusterClass, JsonObject

MARKUP = re.compile(r":\w+:`~?([^`]*)`|`{1,2}([^`]*)`{1,2}")
"""reStructuredText markup around words."""
MAX_DESCRIPTION = 300
"""Maximum number of characters of an argument's description."""


def build_form(name: str) -> ClusterClass:
    """Build the form for a provider's class, without the arguments that SatFlow sets and those named like credentials.

    Raises:
        UnknownBackEnd: no cluster provider has this name.
        Exception: any error raised by importing the class.
    """
    back_end = find_provider(name)
    called = signature.import_class(back_end.cluster_class)
    functions = signature.receiving_functions(called)
    takes = signature.read_parameters(called)
    said = parse_docstrings([*_documenting_classes(called), *functions])
    defaults = read_configured_defaults(called, functions)
    hidden = tuple(each for each in takes.named if is_credential_name(each))
    shown = [
        each for each in takes.named if each not in back_end.owned_arguments and each not in hidden and each[0] != "_"
    ]
    hints = _read_type_hints(functions)
    properties: JsonObject = {
        each: _argument_schema(each, takes.named[each], hints.get(each), said.get(each), defaults.get(each))
        for each in shown
    }
    required = [each for each in takes.required if each in shown and each not in defaults]
    schema: JsonObject = {"type": "object", "properties": properties, "required": [*required]}
    return ClusterClass(
        name=name, purpose=first_paragraph(called), options_schema=schema, open=takes.accepts_any, hidden=hidden
    )


def _argument_schema(
    name: str, argument: inspect.Parameter, hint: Any, documentation: ParameterDoc | None, configured: JsonValue
) -> JsonObject:
    plain = argument.default if is_json_value(argument.default) else None
    default = plain if configured is None else configured
    text = MARKUP.sub(r"\1\2", documentation.text) if documentation else ""
    typed = (
        schema_of_annotation(hint)
        or schema_of_documented_type(documentation.type if documentation else "")
        or schema_of_default(default)
    )
    found: JsonObject = {"title": name, **typed}
    if text:
        found["description"] = (
            text if len(text) <= MAX_DESCRIPTION else f"{text[:MAX_DESCRIPTION].rpartition(' ')[0]} …"
        )
    if default is not None and is_json_value(default):
        found["default"] = default
    return found


def _documenting_classes(called: Callable[..., Any]) -> list[type]:
    """Return a class and its bases, whose docstrings document the arguments of the constructors."""
    classes = [*called.__mro__] if isinstance(called, type) else []
    job = getattr(called, "job_cls", None)
    return [each for each in [*classes, *(job.__mro__ if isinstance(job, type) else ())] if each is not object]


def _read_type_hints(functions: list[Callable[..., Any]]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for each in functions:
        try:
            found = typing.get_type_hints(each) | found
        except (NameError, TypeError, AttributeError):  # names that exist for type checkers only
            found = {name: hint for name, hint in each.__annotations__.items() if not isinstance(hint, str)} | found
    return found


if __name__ == "__main__":
    try:
        told = build_form(sys.argv[1]).model_dump_json()
    except Exception as error:
        sys.stderr.write(f"\n{type(error).__name__}: {error}\n")
        sys.exit(1)
    sys.stdout.write(f"\n{told}\n")
