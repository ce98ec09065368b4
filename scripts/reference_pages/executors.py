"""Executors with their options, and cluster providers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reference_pages.markdown import capitalized, code, default, table
from satflow_ext.cluster_providers import PROVIDERS
from satflow_ext.cluster_providers.provider import ClusterProvider
from satflow_ext.executors import EXECUTORS
from satflow_ext.executors.executor import Executor

HEAD = """# Executors

An executor is the choice of how the tasks of a flow run. It becomes a Prefect task runner when a run starts.
Options are written `--n-workers 2` in `%register_flow` and on the command line, `n_workers=2` in Python.
How to choose one: [executors and clusters](../clusters.md), [Ray](../ray.md).

"""
PROVIDERS_HEAD = """
## Cluster providers

The sources of clusters for the executor `dask-cluster`, by the value of its option `backend`; any other cluster class is written `module:Class`.
[clusters.md](../clusters.md) has an example for each, and `satflow backends NAME` prints the options of its class.

"""


def render_executors() -> str:
    """Render the page."""
    overview = table(("executor", "use", "tasks start"), map(_overview, EXECUTORS.values()))
    providers = table(("`backend`", "class", "worker sizes", "also needs"), map(_provider, PROVIDERS))
    return HEAD + overview + "".join(map(_executor, EXECUTORS.values())) + PROVIDERS_HEAD + providers


def _overview(executor: Executor[Any]) -> Iterator[str]:
    yield f"[`{executor.name}`](#{executor.name})"
    yield executor.purpose
    yield executor.starts


def _executor(executor: Executor[Any]) -> str:
    install = f"\n{_installation(executor)}\n" if executor.install != "satflow-ext" else ""
    heads = ("option", "type", "default", "meaning")
    rows = list(_rows(executor))
    text = table(heads, rows) if rows else f"{executor.options.__doc__}\n"
    return f"\n## {executor.name}\n\n{executor.title}: {executor.purpose}.\n{install}\n{text}"


def _installation(executor: Executor[Any]) -> str:
    return f'Needs `pip install "{executor.install}"`.'


def _rows(executor: Executor[Any]) -> Iterator[tuple[str, str, str, str]]:
    for name, field in executor.options.model_fields.items():
        required = field.is_required()
        meaning = " ".join(filter(None, (capitalized(field.title or name), field.description)))
        yield code(name), code(_type(field.annotation)), "required" if required else default(field.default), meaning


def _type(annotation: Any) -> str:
    text = (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )
    text = re.sub(r"typing\.Optional\[(.*)\]$", r"\1", text)
    return "object" if "JsonValue" in text else re.sub(r"typing\.|(?: \| None)", "", text)


def _provider(provider: ClusterProvider) -> Iterator[str]:
    yield code(provider.name)
    yield code(provider.cluster_class) or (provider.title or "")
    yield "yes" if provider.has_sizes else "no"
    yield code(provider.install or "")
