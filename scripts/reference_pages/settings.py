"""The settings: of SatFlow, from their models, and of the JupyterLab extension, from its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined, to_jsonable_python

from reference_pages.markdown import capitalized, code, parse_docstring, table
from satflow_ext.settings import SIZES, AwsSettings, GatewaySettings, Settings, SizeSettings, StoreSettings

SCHEMA = Path(__file__).parents[2] / "schema" / "plugin.json"
HEAD = """# Settings

Settings have three layers: an environment variable overrides the file `satflow.toml`, which overrides the default.
The file is in the user's configuration folder (`~/.config/satflow/satflow.toml` on Linux); `SATFLOW_CONFIG` names another one.
The environment variable of a setting is its name in capital letters after `SATFLOW_`: `SATFLOW_WORK_POOL=team`.
`__` separates the names of nested settings: `SATFLOW_STORES__TEAM__URL=https://…`.
An unknown name in the file is an error, which names it.

Secrets are never settings: where a credential is needed, a setting has the *name* of an environment variable.

"""
NESTED = {
    "stores": (
        StoreSettings,
        "A store of contents and manifests: a table `[stores.NAME]`. How to run one: [stores.md](../stores.md).",
    ),
    "stores.NAME.aws": (
        AwsSettings,
        "Signing of requests to an S3-compatible store (AWS Signature Version 4): a table in that of its store.",
    ),
    "gateways": (GatewaySettings, "A Dask Gateway: a table `[gateways.NAME]` ([clusters.md](../clusters.md))."),
    "worker_sizes": (
        SizeSettings,
        "The cores, memory in GiB, and GPUs of a Dask worker: a table `[worker_sizes.NAME]`. They replace these sizes:",
    ),
}
LAB_HEAD = """
## JupyterLab

*Settings → Settings Editor → SatFlow*:

"""


def render_settings() -> str:
    """Render the page."""
    parts = [HEAD, _fields(Settings)]
    for name, (model, text) in NESTED.items():
        parts += [f"\n## {name}\n\n{text}\n\n", _sizes() if model is SizeSettings else "", _fields(model)]
    return "".join(parts) + LAB_HEAD + table(("setting", "default", "meaning"), _lab_rows())


def _fields(model: type[BaseModel]) -> str:
    described = parse_docstring(model).arguments
    rows = (
        (code(name), _default(field), capitalized(described.get(name, name)))
        for name, field in model.model_fields.items()
    )
    return table(("setting", "default", "meaning"), rows)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    if field.default in (None, PydanticUndefined) or field.default is SIZES:
        return ""
    return code(json.dumps(to_jsonable_python(field.default)))


def _sizes() -> str:
    rows = ((code(name), str(size.cores), f"{size.memory:g}", str(size.gpus or "")) for name, size in SIZES.items())
    return table(("size", "cores", "GiB", "GPUs"), rows) + "\n"


def _lab_rows() -> Iterator[tuple[str, str, str]]:
    for each in json.loads(SCHEMA.read_text())["properties"].values():
        yield each["title"], code(json.dumps(each["default"])), each["description"]
