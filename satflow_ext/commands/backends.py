"""`satflow backends`: list the cluster providers, or the options of one of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from satflow_ext import cluster_providers
from satflow_ext.commands import interrupts
from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.models import ClusterClass, JsonObject
from satflow_ext.registration.cluster_class import read_class_form
from satflow_ext.registration.worker_environment import remote_interpreter
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments and flags."""
    parser.add_argument(
        "backend", nargs="?", help="list the options of one cluster provider: its name, or any class as module:Class"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print one line for each cluster provider, or for each option of one."""
    refuse_extra_arguments(rest, "backends")
    if args.backend is None:
        print(
            json.dumps({"backends": cluster_providers.NAMES})
            if args.json
            else "\n".join((*cluster_providers.NAMES, "module:Class"))
        )
        return 0
    found = interrupts.run(read_class_form(args.backend, remote_interpreter(load_settings()) or Path(sys.executable)))
    print(found.model_dump_json(indent=2) if args.json else "\n".join(_class_lines(found)))
    return 0


def _class_lines(cluster_class: ClusterClass) -> Iterator[str]:
    properties, required = cluster_class.options_schema["properties"], cluster_class.options_schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    yield f"{cluster_class.name}: {cluster_class.purpose}"
    for name, schema in properties.items():
        if isinstance(schema, dict):
            yield f"  {name:<28} {_format_option(schema)}{' (required)' if name in required else ''}"
    if cluster_class.open:
        yield "  and other options, which it passes on"
    if cluster_class.hidden:
        yield f"Not allowed here, only in the environment of flow runs: {', '.join(cluster_class.hidden)}"


def _format_option(schema: JsonObject) -> str:
    types = schema.get("anyOf", [schema])
    assert isinstance(types, list)
    kinds = [str(each.get("type", "any")) for each in types if isinstance(each, dict)]
    default = f" = {json.dumps(schema['default'])}" if "default" in schema else ""
    text = str(schema.get("description", "")).partition(". ")[0]
    return f"{'|'.join(dict.fromkeys(kinds))}{default}  {text}".rstrip()
