"""Drift: changes that were made in Prefect since a version was registered, and how registering again treats them.

A three-way merge. A choice that is the same as in the previous version preserves a change that was made in Prefect. A choice that
differs from the previous version was made on purpose; it is refused if the same value was changed in Prefect to something else
(docs/decisions/0008). Each schedule is a choice of its own, by its slug. Whether a schedule is active is also a state, which a
change of other choices preserves.

Each side of the merge, two versions and the row, becomes one table of named values once; the rest works on these tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from satflow_ext.choices import schedules
from satflow_ext.deployments import automations
from satflow_ext.job_variables.template import flatten_job_variables, nest_job_variables
from satflow_ext.models import Change, CollisionStrategy, JsonObject
from satflow_ext.prefect_rows import DeploymentRow, DeploymentSchedule
from satflow_ext.versions.manifest import Manifest

PARAMETER, TAG, JOB_VARIABLE = "parameters.", "tags.", "job_variables."
"""Beginnings of the names of values that are one of several."""


@dataclass(frozen=True)
class StoredValue:
    """One of the values that Prefect stores and any client can change there. Values with the same text are equal.

    Args:
        text: the value, formatted for display.
        value: the value as Prefect stores it.
    """

    text: str
    value: Any = field(compare=False)


StoredValues = dict[str, StoredValue]


@dataclass(frozen=True)
class MergedChoices:
    """The values that are written to Prefect.

    Of the changes that were made there, `kept` are preserved, and `contested` are in conflict with a new choice: `before` is the
    registered value, `after` the live one.
    """

    parameters: JsonObject
    tags: list[str]
    work_pool: str | None
    job_variables: JsonObject
    schedules: list[DeploymentSchedule]
    paused: bool
    description: str | None
    concurrency_limit: int | None
    collision_strategy: CollisionStrategy
    kept: tuple[Change, ...]
    contested: tuple[Change, ...] = ()

    @property
    def kept_names(self) -> frozenset[str]:
        """The names of the choices that stay as they are in Prefect."""
        return frozenset(change.name for change in self.kept)


def find_drift(recorded: Manifest, row: DeploymentRow) -> tuple[Change, ...]:
    """Return the differences: `before` is the registered value, `after` the live value in Prefect."""
    before, live = _chosen_values(recorded), _live_values(row, recorded)
    return _find_changes(before, live, _foreign_names(live, before))


def merge_choices(
    draft: Manifest, recorded: Manifest | None, row: DeploymentRow | None, *, overwrite: bool
) -> MergedChoices:
    """Merge the user's choices with the live values in Prefect.

    Args:
        draft: the version to register.
        recorded: the previous version, None if it is unknown.
        row: the row in Prefect, None if there is no such deployment.
        overwrite: whether to overwrite all changes that were made in Prefect, regardless of the previous choices.
    """
    new = _chosen_values(draft)
    before = _chosen_values(recorded) if recorded else {}
    live = _live_values(row, recorded or draft) if row else {}
    foreign = _foreign_names(live, {**new, **before})
    changed = _find_changes(before, live, foreign) if row and recorded and not overwrite else ()
    kept = {each.name for each in changed if new.get(each.name) == before.get(each.name)}
    # Where the new value is the live one, the live one has more: what Prefect added to a schedule, and whether it is active.
    stay = kept | foreign | {name for name, value in new.items() if value == live.get(name)}
    merged = {name: value for name, value in new.items() if name not in stay}
    merged |= {name: value for name, value in live.items() if name in stay}
    return MergedChoices(
        parameters=_with_prefix(merged, PARAMETER),
        tags=list(_with_prefix(merged, TAG)),
        work_pool=merged["work_pool"].value,
        job_variables=nest_job_variables(_with_prefix(merged, JOB_VARIABLE)),
        schedules=_merge_schedules(merged, new, {} if overwrite else before),
        paused=row is not None and row.paused,
        description=merged["description"].value,
        concurrency_limit=merged["concurrency_limit"].value,
        collision_strategy=merged["collision_strategy"].value,
        kept=tuple(each for each in changed if each.name in kept),
        contested=tuple(each for each in changed if _text(new, each.name) not in (each.before, each.after)),
    )


def _chosen_values(version: Manifest) -> StoredValues:
    chosen = version.chosen
    return {
        **{
            schedules.slug_label(slug): StoredValue(schedules.format_schedule(each), schedules.to_prefect(each, slug))
            for slug, each in schedules.name_slugs(chosen.schedules).items()
        },
        **_automations(automations.list_values(chosen)),
        **_settings(chosen.work_pool, chosen.description, chosen.concurrency_limit, chosen.collision_strategy),
        **_collections(chosen.parameters, chosen.tags, flatten_job_variables(version.job_variables)),
    }


def _live_values(row: DeploymentRow, recorded: Manifest) -> StoredValues:
    return {
        **_live_schedules(row, recorded),
        **_automations(automations.list_live_values(row)),
        **_settings(row.work_pool_name, live_description(row), live_limit(row), live_collision_strategy(row)),
        **_collections(row.parameters, row.tags, flatten_job_variables(row.job_variables or {})),
    }


def _foreign_names(live: StoredValues, known: StoredValues) -> set[str]:
    """Return the names of the job variables in Prefect that are not choices of SatFlow."""
    return {name for name in live if name.startswith(JOB_VARIABLE) and name not in known}


def _find_changes(before: StoredValues, after: StoredValues, ignored: Set[str]) -> tuple[Change, ...]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name) and name not in ignored]
    return tuple(Change(name=name, before=_text(before, name), after=_text(after, name)) for name in names)


def _text(values: StoredValues, name: str) -> str | None:
    return values[name].text if name in values else None


def _with_prefix(values: StoredValues, prefix: str) -> JsonObject:
    return {name.removeprefix(prefix): each.value for name, each in values.items() if name.startswith(prefix)}


def live_description(row: DeploymentRow) -> str | None:
    """Return the description of a deployment; None if it has none, for which Prefect's own client writes the text "None"."""
    return None if row.description in ("", "None") else row.description


def live_limit(row: DeploymentRow) -> int | None:
    """Return the number of runs of a deployment that may execute at the same time; None without a limit."""
    return row.global_concurrency_limit.limit if row.global_concurrency_limit else None


def live_collision_strategy(row: DeploymentRow) -> CollisionStrategy:
    """Return what happens to runs beyond the limit. `enqueue` is the default of the Prefect server."""
    options = row.concurrency_options or {}
    return "cancel_new" if options.get("collision_strategy") == "CANCEL_NEW" else "enqueue"


def _settings(work_pool: str | None, description: str | None, limit: int | None, strategy: str) -> StoredValues:
    return {
        "work_pool": StoredValue(work_pool or "none", work_pool),
        "description": StoredValue(description or "none", description),
        "concurrency_limit": StoredValue(str(limit or "none"), limit),
        "collision_strategy": StoredValue(strategy, strategy),
    }


def _collections(parameters: JsonObject, tags: Iterable[str], job_variables: JsonObject) -> StoredValues:
    return {
        **{f"{PARAMETER}{name}": _json_value(value) for name, value in parameters.items()},
        **{f"{TAG}{tag}": StoredValue(tag, tag) for tag in tags},
        **{f"{JOB_VARIABLE}{name}": _json_value(value) for name, value in job_variables.items()},
    }


def _automations(states: Mapping[str, str]) -> StoredValues:
    return {name: StoredValue(state, state) for name, state in states.items()}


def _json_value(value: JsonValue) -> StoredValue:
    return StoredValue(json.dumps(value, sort_keys=True), value)


def _live_schedules(row: DeploymentRow, recorded: Manifest) -> StoredValues:
    """Return the schedules in Prefect by their labels; one without a slug is named by its text."""
    slugs = schedules.name_slugs(recorded.chosen.schedules)
    values = {}
    for each in row.schedules:
        slug = each.slug or schedules.format_schedule(schedules.from_prefect(each))
        text = schedules.format_schedule(schedules.from_prefect(each, slugs.get(slug)))
        values[schedules.slug_label(slug)] = StoredValue(text, each)
    return values


def _merge_schedules(merged: StoredValues, new: StoredValues, before: StoredValues) -> list[DeploymentSchedule]:
    """Return the merged schedules as they are written to Prefect: new ones, without the ids of the live ones."""
    return [
        each.value.model_copy(update={"id": None, "active": _is_active(name, each.value, new, before)})
        for name, each in merged.items()
        if isinstance(each.value, DeploymentSchedule)
    ]


def _is_active(name: str, merged: DeploymentSchedule, new: StoredValues, before: StoredValues) -> bool:
    """Return whether a merged schedule is active: as chosen, if that is a new choice, else as it is in Prefect."""
    if name not in new:
        return merged.active
    chosen = bool(new[name].value.active)
    if name not in before:
        return merged.active and chosen
    return merged.active if before[name].value.active == chosen else chosen
