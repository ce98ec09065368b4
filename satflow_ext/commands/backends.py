"""`satflow backends`: list the cluster providers, or the options of one of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from satflow_ext import backends
from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_rest
from satflow_ext.models import ClusterClass, JsonObject
from satflow_ext.registration.cluster_class import form_of
from satflow_ext.registration.worker_environment import elsewhere
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments and flags."""
    parser.add_argument(
        "backend", nargs="?", help="list the options of one cluster provider: its name, or any class as module:Class"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print one line for each cluster provider, or for each option of one."""
    refuse_rest(rest, "backends")
    if args.backend is None:
        print(json.dumps({"backends": backends.NAMES}) if args.json else "\n".join((*backends.NAMES, "module:Class")))
        return 0
    found = interrupts.run(form_of(args.backend, elsewhere(load_settings()) or Path(sys.executable)))
    print(found.model_dump_json(indent=2) if args.json else "\n".join(_lines(found)))
    return 0


def _lines(found: ClusterClass) -> Iterator[str]:
    properties, required = found.options_schema["properties"], found.options_schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    yield f"{found.name}: {found.purpose}"
    for name, schema in properties.items():
        if isinstance(schema, dict):
            yield f"  {name:<28} {_said(schema)}{' (required)' if name in required else ''}"
    if found.open:
        yield "  and other options, which it passes on"
    if found.hidden:
        yield f"Not allowed here, only in the environment of flow runs: {', '.join(found.hidden)}"


def _said(schema: JsonObject) -> str:
    types = schema.get("anyOf", [schema])
    assert isinstance(types, list)
    kinds = [str(each.get("type", "any")) for each in types if isinstance(each, dict)]
    default = f" = {json.dumps(schema['default'])}" if "default" in schema else ""
    text = str(schema.get("description", "")).partition(". ")[0]
    return f"{'|'.join(dict.fromkeys(kinds))}{default}  {text}".rstrip()
