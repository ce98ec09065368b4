"""Asks dask-kubernetes what it makes of a manifest; run by the interpreter that has it. JSON in, JSON out.

For each manifest: what its custom resource definition says against it, what Kubernetes would silently drop, and the containers of
the pods that its operator would make.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import dask_kubernetes.operator
import yaml
from dask_kubernetes.operator.controller.controller import (
    build_scheduler_deployment_spec,
    build_worker_deployment_spec,
)
from jsonschema import Draft7Validator

CHART = Path(dask_kubernetes.operator.__path__[0]) / "deployment" / "helm" / "dask-kubernetes-operator"


def crd(kind: str) -> Any:
    """The schema of a kind, in which a field that it does not know is a mistake: Kubernetes would drop it."""
    definition = yaml.safe_load((CHART / "crds" / f"{kind.lower()}.yaml").read_text())
    (version,) = definition["spec"]["versions"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"] |= {"apiVersion": {"const": f"kubernetes.dask.org/{version['name']}"}, "kind": {"const": kind}}
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(each) for key, each in schema.items()}
    if "properties" in found and not found.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return {"type": ["integer", "string"]} if found.get("x-kubernetes-int-or-string") else found


def answer(manifest: Any) -> Any:
    wrong = Draft7Validator(crd(manifest["kind"])).iter_errors(manifest)
    told: dict[str, Any] = {"wrong": [f"{each.json_path}: {each.message}" for each in wrong]}
    if manifest["kind"] == "DaskCluster" and not told["wrong"]:
        name, spec = manifest["metadata"]["name"], manifest["spec"]
        scheduler = build_scheduler_deployment_spec(name, spec["scheduler"]["spec"], {}, {})
        worker = build_worker_deployment_spec(f"{name}-default", "night", name, "1", spec["worker"]["spec"], {}, {})
        told["containers"] = [each["spec"]["template"]["spec"]["containers"][0] for each in (scheduler, worker)]
        told["service"] = spec["scheduler"]["service"]
    return told


json.dump([answer(each) for each in json.load(sys.stdin)], sys.stdout)
