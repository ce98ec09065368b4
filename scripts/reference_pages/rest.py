"""The REST interface: routes from the extension application, bodies from the wire models."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from contract import definitions, typescript
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

from reference_pages.markdown import code, prose, table
from satflow_ext.server.app import Managers, build_routes

HEAD = """# REST interface

The routes of the Jupyter server extension, below the server's base URL.
Each needs the credential of the Jupyter server, and asks its authorizer for the permission in the third column.
Bodies are JSON; fields that a model does not have are an error.
Requests may leave fields with a default out, replies contain every field.
Sizes are in bytes and durations in seconds.
Every reply with a status of 4xx or 5xx is an [`ErrorBody`](#errorbody).

The interface belongs to the JupyterLab extension of the same version. It may change with each minor version ([compatibility.md](../compatibility.md)).

## Routes

"""
STREAM = """
`/satflow/stream` is a websocket. The client sends `Subscribe` and `Unsubscribe`; the server sends frames until the topic has ended.

## Bodies

"""


def render_rest() -> str:
    """Render the page."""
    known = definitions()
    rows = [
        row
        for path, handler, _ in build_routes(Managers.create(MappingKernelManager()))
        for row in _rows(path, handler, known)
    ]
    models = "".join(_model(name, known[name], known) for name in sorted(known))
    return HEAD + table(("route", "effect", "permission"), rows) + STREAM + models.lstrip("\n")


def _rows(pattern: str, handler: type, known: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for verb in ("get", "post", "patch", "delete"):
        if verb not in vars(handler):
            continue
        method = inspect.unwrap(vars(handler)[verb])
        path = pattern
        for name in list(inspect.signature(method).parameters)[1:]:
            path = path.replace("([^/]+)", f"{{{name}}}", 1)
        found = re.search(r'@authorized\(action="(\w+)", resource="([^"]+)"\)', inspect.getsource(method))
        assert found is not None, f"{handler.__name__}.{verb} asks for no permission"
        yield (
            code(f"{verb.upper()} {path}"),
            _link(prose(method.__doc__ or ""), known),
            f"{code(found[1])} on {code(found[2])}",
        )


def _link(text: str, known: dict[str, Any]) -> str:
    return re.sub(r"\b[A-Z]\w+\b", lambda name: _model_link(name[0]) if name[0] in known else name[0], text)


def _model_link(name: str) -> str:
    return f"[`{name}`](#{name.lower()})"


def _model(name: str, schema: dict[str, Any], known: dict[str, Any]) -> str:
    text = f"\n### {name}\n\n{prose(schema.get('description') or '')}\n".replace("\n\n\n", "\n\n")
    if "properties" not in schema:
        return f"{text}\n{code(typescript(schema))}\n"
    required = set(schema.get("required", ()))
    rows = (
        (code(field if field in required else f"{field}?"), _type(one, known))
        for field, one in schema["properties"].items()
    )
    return f"{text}\n{table(('field', 'type'), rows)}"


def _type(schema: dict[str, Any], known: dict[str, Any]) -> str:
    text = typescript(schema).replace("(", "").replace(")", "")
    return " | ".join(_link(part, known) if part.strip("[]") in known else code(part) for part in text.split(" | "))
