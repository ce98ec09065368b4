"""The two parts of Prefect's context: the part that all tasks of a flow run share, and the part of each call."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from prefect.context import (
    AssetContext,
    FlowRunContext,
    SettingsContext,
    TagsContext,
    TaskRunContext,
    serialize_context,
)
from prefect.tasks import MaterializingTask

from satflow_ext.dask_tasks.task_calls import CallRequest
from satflow_ext.redaction.policy import shareable_cells

CALL_PARTS = ("tags_context", "task_run_context", "asset_context")
"""Parts of a serialized context that differ between calls."""
CELL_LINES = "satflow_cell_lines"
"""Key of the cells whose lines the workers show in tracebacks, next to the parts of Prefect's context."""

current_shared_context: ContextVar[tuple[str, tuple[object, ...]] | None] = ContextVar(
    "satflow_lent_context", default=None
)
"""On a Dask worker: the cluster's name for the context in which a task runs, and the result of `now` in that context."""


def shared_context_sources() -> tuple[object, ...]:
    """Return the objects from which the shared part is built. The result of `shared` changes only if one of them does."""
    return FlowRunContext.get(), SettingsContext.get()


def are_identical(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    """Return whether both tuples contain the identical objects."""
    return len(a) == len(b) and all(one is other for one, other in zip(a, b, strict=True))


def serialize_shared_context() -> dict[str, Any]:
    """Serialize the part that all tasks of this flow run share. This takes Prefect about 20 ms."""
    shared = {name: part for name, part in serialize_context().items() if name not in CALL_PARTS}
    return shared | {CELL_LINES: shareable_cells()}


def serialize_call_context(request: CallRequest, dependencies: dict[str, set[Any]]) -> dict[str, Any]:
    """Serialize the part that belongs to one call: tags, the calling task, assets."""
    own: dict[str, Any] = {}
    if tags := TagsContext.get().current_tags:
        own["tags_context"] = {"current_tags": tags}
    if parent := TaskRunContext.get():
        own["task_run_context"] = parent.serialize()
    if _has_assets(request):
        assets = AssetContext.from_task_and_inputs(
            request.task, request.task_run_id, dependencies, copy_to_child_ctx=True
        )
        own["asset_context"] = assets.serialize()
    return own


def _has_assets(request: CallRequest) -> bool:
    """Return whether the flow run has asset information that the engine on the Dask worker cannot determine itself."""
    flow_run = FlowRunContext.get()
    known = flow_run is not None and bool(flow_run.task_run_assets)
    return known or bool(request.task.asset_deps) or isinstance(request.task, MaterializingTask)
