"""Drift: changes that were made in Prefect since a version was registered, and how registering again treats them.

A three-way merge. A choice that is the same as in the previous version preserves a change that was made in Prefect. A choice that
differs from the previous version was made on purpose; it is refused if the same value was changed in Prefect to something else
(docs/decisions/0008). Each schedule is a choice of its own, by its slug. Whether a schedule is active is also a state, which a
change of other choices preserves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Protocol

from satflow_ext.choices import schedules
from satflow_ext.deployments import automations
from satflow_ext.job_variables.template import flatten_job_variables, nest_job_variables
from satflow_ext.models import Change, CollisionStrategy, JsonObject, Registration, Schedule
from satflow_ext.prefect_rows import DeploymentRow, DeploymentSchedule

Choices = dict[str, str]
"""Choices that Prefect stores and any client can change there: name → value, formatted for display."""


class DecidedChoices(Protocol):
    """A user's choices, and the job variables that they result in: a plan, or a manifest."""

    @property
    def chosen(self) -> Registration:
        """The choices, with every default filled in."""

    @property
    def job_variables(self) -> JsonObject:
        """The job variables of the work pool."""


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


def find_drift(recorded: DecidedChoices, row: DeploymentRow) -> tuple[Change, ...]:
    """Return the differences: `before` is the registered value, `after` the live value in Prefect."""
    return _find_changes(_chosen_values(recorded), _live_values(row, recorded, _job_variable_names(recorded)))


def merge_choices(
    decided: DecidedChoices, recorded: DecidedChoices | None, row: DeploymentRow | None, *, overwrite: bool
) -> MergedChoices:
    """Merge the user's choices with the live values in Prefect.

    Args:
        decided: the choices of this registration.
        recorded: the choices of the previous version, None if they are unknown.
        row: the row in Prefect, None if there is no such deployment.
        overwrite: whether to overwrite all changes that were made in Prefect, regardless of the previous choices.
    """
    chosen, new_values = decided.chosen, _chosen_values(decided)
    if row is None or recorded is None or overwrite:
        return MergedChoices(
            parameters=chosen.parameters,
            tags=list(chosen.tags),
            work_pool=chosen.work_pool,
            job_variables=_merge_job_variables(decided, recorded, row, frozenset()),
            schedules=_merge_schedules(decided, None, row, frozenset()),
            paused=row is not None and row.paused,
            description=chosen.description,
            concurrency_limit=chosen.concurrency_limit,
            collision_strategy=chosen.collision_strategy,
            kept=(),
        )
    before = _chosen_values(recorded)
    live = _live_values(row, recorded, _job_variable_names(decided) | _job_variable_names(recorded))
    kept = {
        name for name in {**new_values, **before, **live} if new_values.get(name) == before.get(name) != live.get(name)
    }
    changed = _find_changes(before, live)
    settled = {name: value for name, value in new_values.items() if name not in kept}
    settled |= {name: live[name] for name in kept & live.keys()}
    parameters = {**row.parameters, **{k: v for k, v in chosen.parameters.items() if f"parameters.{k}" not in kept}}
    return MergedChoices(
        parameters={name: value for name, value in parameters.items() if f"parameters.{name}" in settled},
        tags=[name.removeprefix("tags.") for name in settled if name.startswith("tags.")],
        work_pool=row.work_pool_name if "work_pool" in kept else chosen.work_pool,
        job_variables=_merge_job_variables(decided, recorded, row, kept),
        schedules=_merge_schedules(decided, recorded, row, kept),
        paused=row.paused,
        description=live_description(row) if "description" in kept else chosen.description,
        concurrency_limit=live_limit(row) if "concurrency_limit" in kept else chosen.concurrency_limit,
        collision_strategy=(
            live_collision_strategy(row) if "collision_strategy" in kept else chosen.collision_strategy
        ),
        kept=tuple(each for each in changed if each.name in kept),
        contested=tuple(each for each in changed if _is_contested(new_values.get(each.name), each)),
    )


def _is_contested(chosen_value: str | None, changed: Change) -> bool:
    return chosen_value not in (changed.before, changed.after)


def _merge_job_variables(
    decided: DecidedChoices, recorded: DecidedChoices | None, row: DeploymentRow | None, kept: Set[str]
) -> JsonObject:
    """Return SatFlow's job variables, as chosen or as kept from Prefect, and the others that Prefect has, unchanged."""
    live = flatten_job_variables(row.job_variables or {}) if row else {}
    own_names = _job_variable_names(recorded) if recorded else frozenset()
    stay = {name: value for name, value in live.items() if name not in own_names or f"job_variables.{name}" in kept}
    mine = {
        name: value
        for name, value in flatten_job_variables(decided.job_variables).items()
        if f"job_variables.{name}" not in kept
    }
    return nest_job_variables({**stay, **mine})


def _job_variable_names(decided: DecidedChoices) -> frozenset[str]:
    return frozenset(flatten_job_variables(decided.job_variables))


def _chosen_values(decided: DecidedChoices) -> Choices:
    chosen = decided.chosen
    return {
        **schedules.list_schedule_facts(schedules.name_slugs(chosen.schedules)),
        **automations.list_values(chosen),
        **_format_settings(chosen.work_pool, chosen.description, chosen.concurrency_limit, chosen.collision_strategy),
        **_format_collections(chosen.parameters, chosen.tags, flatten_job_variables(decided.job_variables)),
    }


def _live_values(row: DeploymentRow, recorded: DecidedChoices, job_variables: frozenset[str]) -> Choices:
    """Return the live choices. They include only the named job variables: the others are not choices of SatFlow."""
    live = flatten_job_variables(row.job_variables or {})
    own_variables = {name: value for name, value in live.items() if name in job_variables}
    return {
        **{
            label: schedules.format_schedule(schedule)
            for label, (_, schedule) in _label_live_schedules(row, recorded).items()
        },
        **automations.list_live_values(row),
        **_format_settings(row.work_pool_name, live_description(row), live_limit(row), live_collision_strategy(row)),
        **_format_collections(row.parameters, row.tags, own_variables),
    }


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


def _format_settings(work_pool: str | None, description: str | None, limit: int | None, strategy: str) -> Choices:
    return {
        "work_pool": work_pool or "none",
        "description": description or "none",
        "concurrency_limit": str(limit or "none"),
        "collision_strategy": strategy,
    }


def _format_collections(parameters: JsonObject, tags: Iterable[str], job_variables: JsonObject) -> Choices:
    return {
        **{f"parameters.{name}": json.dumps(value, sort_keys=True) for name, value in parameters.items()},
        **{f"tags.{tag}": tag for tag in tags},
        **{f"job_variables.{name}": json.dumps(value, sort_keys=True) for name, value in job_variables.items()},
    }


def _find_changes(before: Choices, after: Choices) -> tuple[Change, ...]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return tuple(Change(name=name, before=before.get(name), after=after.get(name)) for name in names)


def _merge_schedules(
    decided: DecidedChoices, recorded: DecidedChoices | None, row: DeploymentRow | None, kept: Set[str]
) -> list[DeploymentSchedule]:
    """Return the chosen schedules, and those that are kept as Prefect has them."""
    live = _label_live_schedules(row, recorded or decided) if row else {}
    before = _label_schedules(recorded)
    merged = [row_schedule for label, (row_schedule, _) in live.items() if label in kept]
    for slug, schedule in schedules.name_slugs(decided.chosen.schedules).items():
        label = schedules.slug_label(slug)
        if label not in kept:
            merged.append(_keep_live_state(slug, schedule, live.get(label), before.get(label)))
    return [each.model_copy(update={"id": None}) for each in merged]


def _keep_live_state(
    slug: str, chosen: Schedule, live: tuple[DeploymentSchedule, Schedule] | None, recorded: Schedule | None
) -> DeploymentSchedule:
    """Return a chosen schedule. If Prefect already has the same one, keep what Prefect added, and whether it is active."""
    if live is None or schedules.format_schedule(live[1]) != schedules.format_schedule(chosen):
        return schedules.to_prefect(chosen, slug)
    row_schedule, _ = live
    if recorded is None:
        active = row_schedule.active and chosen.active
    else:
        active = row_schedule.active if recorded.active == chosen.active else chosen.active
    return row_schedule.model_copy(update={"active": active, "slug": slug})


def _label_schedules(choices: DecidedChoices | None) -> dict[str, Schedule]:
    found = schedules.name_slugs(choices.chosen.schedules) if choices else {}
    return {schedules.slug_label(slug): schedule for slug, schedule in found.items()}


def _label_live_schedules(
    row: DeploymentRow, recorded: DecidedChoices
) -> dict[str, tuple[DeploymentSchedule, Schedule]]:
    """Return the schedules in Prefect by their labels; one without a slug is named by its text."""
    before = _label_schedules(recorded)
    labeled = {}
    for each in row.schedules:
        label = schedules.slug_label(each.slug or schedules.format_schedule(schedules.from_prefect(each)))
        labeled[label] = (each, schedules.from_prefect(each, before.get(label)))
    return labeled
