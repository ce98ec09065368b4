"""`python -m satflow_ext.cluster_providers.class_form module:Class`: the arguments of a class, as a JSON schema for a form.

The schema is built from the signature, the documentation and the current Dask configuration. This runs in a separate process
with the interpreter of the flow runs: importing a third-party class may have any side effect, and the packages of a cloud
provider may be installed only there.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import JsonValue, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema

from satflow_ext.cluster_providers import find_provider, signature
from satflow_ext.credentials.shapes import is_credential_name
from satflow_ext.models import ClusterClass, JsonObject

MARKUP = re.compile(r":\w+:`~?([^`]*)`|`{1,2}([^`]*)`{1,2}")
"""reStructuredText markup around words."""
MAX_DESCRIPTION = 300
"""Maximum number of characters of an argument's description."""
SECTION = re.compile(r"^( *)(?:Other )?Parameters\n\1-{3,}\n", re.MULTILINE)
NEXT_SECTION = re.compile(r"\n[^\n]+\n *-{3,}\n")
ITEM = re.compile(r"^(\*{0,2}\w[\w, *]*?)\s*(?::\s*(.*))?$")
CONFIG_READ = re.compile(r"""config\.get\(\s*["']([\w.-]+)["']""")
TYPE_SCHEMAS: dict[str, JsonObject] = {
    "str": {"type": "string"},
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "boolean": {"type": "boolean"},
    "dict": {"type": "object"},
    "mapping": {"type": "object"},
    "list": {"type": "array", "items": {}},
}
CHOICE = re.compile(r"^\{(.+)\}")
INNER = re.compile(r"^(list|dict|tuple)\s*(?:of\s+|\[)(.*?)\]?$")


def build_form(name: str) -> ClusterClass:
    """Build the form for a provider's class, without the arguments that SatFlow sets and those named like credentials.

    Raises:
        UnknownBackEnd: no cluster provider has this name.
        Exception: any error raised by importing the class.
    """
    back_end = find_provider(name)
    called = signature.import_class(back_end.cluster_class)
    functions = signature.receiving_functions(called)
    parameters = signature.read_parameters(called)
    descriptions = parse_docstrings([*_documenting_classes(called), *functions])
    defaults = read_configured_defaults(called, functions)
    hidden = tuple(each for each in parameters.named if is_credential_name(each))
    shown = [
        each
        for each in parameters.named
        if each not in back_end.owned_arguments and each not in hidden and each[0] != "_"
    ]
    hints = _read_type_hints(functions)
    properties: JsonObject = {
        each: _argument_schema(
            each, parameters.named[each], hints.get(each), descriptions.get(each), defaults.get(each)
        )
        for each in shown
    }
    required = [each for each in parameters.required if each in shown and each not in defaults]
    schema: JsonObject = {"type": "object", "properties": properties, "required": [*required]}
    return ClusterClass(
        name=name, purpose=first_paragraph(called), options_schema=schema, open=parameters.accepts_any, hidden=hidden
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


class ParameterDoc(NamedTuple):
    """The documentation of a keyword argument: its type as written, or empty, and its description."""

    type: str
    text: str


def parse_docstrings(functions: Iterable[Callable[..., Any] | type]) -> dict[str, ParameterDoc]:
    """Parse the numpydoc section "Parameters" of docstrings; if several document the same name, the first one wins."""
    found: dict[str, ParameterDoc] = {}
    for each in functions:
        found = _parse_docstring(inspect.getdoc(each) or "") | found
    return found


def first_paragraph(function: Callable[..., Any] | type) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _parse_docstring(doc: str) -> dict[str, ParameterDoc]:
    found: dict[str, ParameterDoc] = {}
    for start in SECTION.finditer(doc):
        rest = doc[start.end() :]
        end = NEXT_SECTION.search(rest)
        found |= _parse_section(rest[: end.start()] if end else rest, start[1])
    return found


def _parse_section(section: str, margin: str) -> dict[str, ParameterDoc]:
    """Parse a section in which names start at the margin and their descriptions follow, indented."""
    found: dict[str, ParameterDoc] = {}
    names: list[str] = []
    for line in (each.removeprefix(margin) for each in section.splitlines()):
        item = ITEM.match(line) if line[:1].strip() else None
        if item:
            names = [name.strip(" *") for name in item[1].split(",")]
            found |= {name: ParameterDoc((item[2] or "").strip(), "") for name in names}
        elif line.startswith(" "):
            found |= {
                name: ParameterDoc(found[name].type, f"{found[name].text} {line.strip()}".strip()) for name in names
            }
    return found


def read_configured_defaults(
    called: Callable[..., Any], functions: Iterable[Callable[..., Any]]
) -> dict[str, JsonValue]:
    """Return the value of each argument that the current configuration sets.

    Dask's classes read such defaults in their constructors, so that their signatures do not show them: from a section
    (`dask.config.get("cloudprovider.gcp")`), or one by one (`dask.config.get("kubernetes.image")`). dask-jobqueue's classes read
    the section that `config_name` names.
    """
    import dask

    found: dict[str, JsonValue] = {}
    for place in _config_keys(called, functions):
        value = dask.config.get(place, default=None)
        settings = value if isinstance(value, dict) else {place.rpartition(".")[2]: value}
        found = {str(name).replace("-", "_"): each for name, each in settings.items() if each is not None} | found
    return found


def _config_keys(called: Callable[..., Any], functions: Iterable[Callable[..., Any]]) -> Iterator[str]:
    """Yield the configuration keys that the class reads, most specific first."""
    name = getattr(called, "config_name", None)
    if isinstance(name, str):
        yield f"jobqueue.{name}"
    for function in functions:
        yield from CONFIG_READ.findall(_read_source(function))


def _read_source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # defined without a source file
        return ""


def schema_of_annotation(annotation: Any) -> JsonObject:
    """Return the schema of an annotation, or an empty schema if JSON cannot express the annotation."""
    if annotation in (inspect.Parameter.empty, Any, None):
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a type that JSON cannot express is not a problem here
        try:
            return TypeAdapter(annotation).json_schema()
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError, NameError, TypeError):
            return {}


def schema_of_documented_type(text: str) -> JsonObject:
    """Parse a type in numpydoc notation: `int`, `str, optional`, `{"a", "b"}`, `list of str`, `int or None`."""
    if choice := CHOICE.match(text):
        return {"enum": [each.strip(" \"'`") for each in choice[1].split(",")]}
    kinds = [kind for each in _split_alternatives(text) if (kind := _schema_of_type(each))]
    return kinds[0] if len(kinds) == 1 else ({"anyOf": [*kinds]} if kinds else {})


def schema_of_default(value: JsonValue) -> JsonObject:
    """Infer the schema from a default."""
    known = {bool: "bool", int: "int", float: "float", str: "str", dict: "dict", list: "list"}
    return TYPE_SCHEMAS[known[type(value)]] if type(value) in known else {}


def is_json_value(value: object) -> bool:
    """Return whether JSON can express a default."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json_value(each) for key, each in value.items())
    return (
        value is None
        or type(value) in (bool, int, float, str)
        or (type(value) is list and all(map(is_json_value, value)))
    )


def _split_alternatives(text: str) -> list[str]:
    plain = re.sub(r"\(?\boptional\b\)?|\bdefaults?\b.*|\(.*?\)", "", text.lower())
    return [each.strip(" .`'\"") for each in re.split(r",(?![^\[]*\])|\bor\b|\|", plain)]


def _schema_of_type(text: str) -> JsonObject:
    if text in TYPE_SCHEMAS:
        return TYPE_SCHEMAS[text]
    inner = INNER.match(text)
    if inner is None:
        return {}
    if inner[1] == "dict":
        return TYPE_SCHEMAS["dict"]
    items = TYPE_SCHEMAS.get(inner[2].strip().rstrip("s"), {})
    return {"type": "array", "items": items}


if __name__ == "__main__":
    try:
        form_json = build_form(sys.argv[1]).model_dump_json()
    except Exception as error:
        sys.stderr.write(f"\n{type(error).__name__}: {error}\n")
        sys.exit(1)
    sys.stdout.write(f"\n{form_json}\n")
