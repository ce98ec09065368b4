"""Write src/_api.ts, the browser's side of the REST contract, from satflow_ext/models.py.

Also write src/register/_options.ts, the options that the register form shows without a widget of their own (form_options.py),
and the executors' names in schema/plugin.json, the schema of JupyterLab's settings, from the catalog of executors.
With --check, write nothing and fail when a file is not what it should be.

Requests are described as they are validated (fields with defaults are optional), replies and websocket frames as they are
serialized (every field is there).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from form_options import render_form_options
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from satflow_ext import models
from satflow_ext.executors import EXECUTORS

ROOT = Path(__file__).resolve().parent.parent
Schema = dict[str, Any]
TARGET = ROOT / "src" / "_api.ts"
OPTIONS = ROOT / "src" / "register" / "_options.ts"
SETTINGS = ROOT / "schema" / "plugin.json"
HEADER = "// Generated from satflow_ext/models.py by scripts/contract. Do not edit.\n\n"
JSON = """export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}
"""
REQUESTS = (
    models.RegisterRequest,
    models.PreflightRequest,
    models.ClusterClassRequest,
    models.SchedulePreviewRequest,
    models.NotificationTest,
    models.PauseRequest,
    models.RollbackRequest,
    models.RunRequest,
    models.RunChangeRequest,
    models.RecentRunsRequest,
    models.DebugRequest,
    models.RunGroupRequest,
    models.ClusterOrder,
    models.Subscribe,
    models.Unsubscribe,
)
REPLIES = (
    models.ErrorBody,
    models.FlowList,
    models.Catalogue,
    models.ClusterClass,
    models.Preflight,
    models.SchedulePreview,
    models.NotificationTest,
    models.DeploymentList,
    models.Registered,
    models.Preflight,
    models.VersionList,
    models.VersionDetail,
    models.VersionDiff,
    models.RunList,
    models.RunChanges,
    models.RecentRuns,
    models.RunDetail,
    models.DebugCell,
    models.RunGroupList,
    models.RunGroupPlan,
    models.RunGroupDetail,
    models.RunVersion,
    models.ResultPreview,
    models.TaskRunPage,
    models.TaskRunDetail,
    models.ClusterList,
    models.SharedCluster,
    models.StackStatus,
    models.RunsFrame,
    models.LogsFrame,
    models.ClusterFrame,
    models.ClustersFrame,
    models.ErrorFrame,
)
UNIONS = {
    "StreamRequest": ("Subscribe", "Unsubscribe"),
    "StreamFrame": ("RunsFrame", "LogsFrame", "ClusterFrame", "ClustersFrame", "ErrorFrame"),
    "Schedule": ("CronSchedule", "IntervalSchedule", "RRuleSchedule"),
}
PRIMITIVES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def definitions() -> dict[str, Schema]:
    """Every model's schema by its name; where a request's model differs from the reply's, it is called `NameInput`."""
    replies = {name: complete(one) for name, one in schemas(REPLIES, "serialization").items()}
    requests = schemas(REQUESTS, "validation")
    differing = {name for name, one in requests.items() if name in replies and one != replies[name]}
    renamed = {name: f"{name}Input" if name in differing else name for name in requests}
    return replies | {renamed[name]: redirect(one, renamed) for name, one in requests.items()}


def schemas(kinds: tuple[type[models.WireModel], ...], mode: JsonSchemaMode) -> dict[str, Schema]:
    """The models, and every model inside them, by name."""
    _, schema = models_json_schema([(kind, mode) for kind in kinds], ref_template="{model}")
    return {name: one for name, one in schema["$defs"].items() if name != "JsonValue"}


def complete(schema: Schema) -> Schema:
    """A reply's schema: `model_dump` leaves no field out, whatever its default."""
    return schema | {"required": list(schema["properties"])} if "properties" in schema else schema


def redirect(value: Any, names: dict[str, str]) -> Any:
    """The same schema, pointing at the new names."""
    if isinstance(value, dict):
        return {k: names.get(v, v) if k == "$ref" else redirect(v, names) for k, v in value.items()}
    return [redirect(one, names) for one in value] if isinstance(value, list) else value


def typescript(schema: Schema) -> str:
    """The TypeScript type of a schema."""
    if "$ref" in schema:
        return str(schema["$ref"])
    if "const" in schema:
        return quoted(schema["const"])
    if "enum" in schema:
        return " | ".join(quoted(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(typescript(one) for one in schema[key])
    if schema.get("type") == "array":
        item = typescript(schema["items"])
        return f"({item})[]" if " | " in item else f"{item}[]"
    if schema.get("type") == "object":
        return mapping(schema)
    return PRIMITIVES[schema["type"]] if "type" in schema else "JsonValue"


def mapping(schema: Schema) -> str:
    """A dictionary's type."""
    values = typescript(schema["additionalProperties"]) if isinstance(schema.get("additionalProperties"), dict) else ""
    return "JsonObject" if values in ("", "JsonValue") else f"{{ [key: string]: {values} }}"


def quoted(value: object) -> str:
    """A literal as prettier writes it."""
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def comment(text: str | None, indent: str = "") -> str:
    """A TSDoc block of a docstring."""
    lines = (text or "").strip().splitlines()
    if not lines:
        return ""
    body = "\n".join(f"{indent} * {line.strip()}".rstrip() for line in lines)
    return f"{indent}/**\n{body}\n{indent} */\n"


def declaration(name: str, schema: Schema) -> str:
    """One exported interface, or a type where the schema is no object."""
    if "properties" not in schema and schema.get("type") != "object":
        return f"{comment(schema.get('description'))}export type {name} = {typescript(schema)};\n"
    required = set(schema.get("required", ()))
    fields = "".join(
        f"  {key}{'' if key in required else '?'}: {typescript(one)};\n"
        for key, one in schema.get("properties", {}).items()
    )
    return f"{comment(schema.get('description'))}export interface {name} {{\n{fields}}}\n"


def rendered() -> str:
    """The whole file, before prettier."""
    known = definitions()
    parts = [JSON, *(declaration(name, known[name]) for name in sorted(known))]
    parts += [f"export type {name} = {' | '.join(members)};\n" for name, members in UNIONS.items()]
    return HEADER + "\n".join(parts)


def settings_schema() -> str:
    """The schema of the settings with the names of all executors, before prettier."""
    schema = json.loads(SETTINGS.read_text())
    schema["properties"]["executor"]["enum"] = list(EXECUTORS)
    return json.dumps(schema, ensure_ascii=False, indent=2)


def prettier(text: str, target: Path) -> str:
    """The text as the project's formatter leaves it, so that linting and generating agree."""
    formatter = ROOT / "node_modules" / "prettier" / "bin" / "prettier.cjs"
    command = ["node", str(formatter), "--stdin-filepath", str(target)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def main() -> int:
    """Write the files, or with --check compare them."""
    generated = {TARGET: rendered(), OPTIONS: render_form_options(), SETTINGS: settings_schema()}
    texts = {target: prettier(text, target) for target, text in generated.items()}
    if "--check" not in sys.argv[1:]:
        for target, text in texts.items():
            target.write_text(text)
        return 0
    outdated = [target for target, text in texts.items() if not target.exists() or target.read_text() != text]
    for target in outdated:
        print(f"{target.relative_to(ROOT)} is outdated: run scripts/contract.", file=sys.stderr)  # noqa: T201
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
