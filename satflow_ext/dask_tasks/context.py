"""The two parts of Prefect's context: what all tasks of a flow run share, and what each has of its own."""

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

from satflow_ext.dask_tasks.task_calls import Wanted

OF_A_CALL = ("tags_context", "task_run_context", "asset_context")
"""Parts of a serialized context that differ between calls."""

lent: ContextVar[tuple[str, tuple[object, ...]] | None] = ContextVar("satflow_lent_context", default=None)
"""On a Dask worker: the name under which the cluster has the context that a task was lent, and what `now` gave in it."""


def now() -> tuple[object, ...]:
    """What the shared part is made of: as long as these are the same objects, so is what `shared` gives."""
    return FlowRunContext.get(), SettingsContext.get()


def same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    """Whether both are made of the same objects."""
    return len(a) == len(b) and all(one is other for one, other in zip(a, b, strict=True))


def shared() -> dict[str, Any]:
    """The part that is the same for each task of this flow run. It takes Prefect some 20 ms to make."""
    return {name: part for name, part in serialize_context().items() if name not in OF_A_CALL}


def of_call(wanted: Wanted, dependencies: dict[str, set[Any]]) -> dict[str, Any]:
    """The part that belongs to one call: tags, the task that it is called from, assets."""
    own: dict[str, Any] = {}
    if tags := TagsContext.get().current_tags:
        own["tags_context"] = {"current_tags": tags}
    if parent := TaskRunContext.get():
        own["task_run_context"] = parent.serialize()
    if _has_assets(wanted):
        assets = AssetContext.from_task_and_inputs(
            wanted.task, wanted.task_run_id, dependencies, copy_to_child_ctx=True
        )
        own["asset_context"] = assets.serialize()
    return own


def _has_assets(wanted: Wanted) -> bool:
    """Whether the flow run knows anything of assets that the engine, which runs elsewhere, would not find out itself."""
    flow_run = FlowRunContext.get()
    known = flow_run is not None and bool(flow_run.task_run_assets)
    return known or bool(wanted.task.asset_deps) or isinstance(wanted.task, MaterializingTask)
