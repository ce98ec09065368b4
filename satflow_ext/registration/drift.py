"""Drift: what somebody has changed in Prefect since a version was registered, and what registering again does about it.

A three-way merge. A choice that is the same as in the version before leaves alone what was changed in Prefect; one that differs
from it was made on purpose, and is refused where somebody has changed just that to something else (docs/decisions/0008). Whether
schedules are paused is a state, not a choice.
"""

from __future__ import annotations

import json
from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from satflow_ext.job_variables import flat, whole
from satflow_ext.models import Change, JsonObject, Registration
from satflow_ext.registration import schedules

if TYPE_CHECKING:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.responses import DeploymentResponse

Choices = dict[str, str]
"""Choices that Prefect keeps and anybody can change there, each under a name of its own and worded for reading."""


class Decided(Protocol):
    """What somebody decided, and what it means in the words of the work pool: a plan, or a manifest."""

    @property
    def chosen(self) -> Registration:
        """With every default filled in."""

    @property
    def job_variables(self) -> JsonObject:
        """Of the work pool."""


@dataclass(frozen=True)
class Settled:
    """What Prefect is told.

    Of what was changed there, `kept` stays so, and `contested` was chosen anew as well: `before` was registered, `after` is live.
    """

    parameters: JsonObject
    tags: list[str]
    work_pool: str | None
    job_variables: JsonObject
    schedules: list[DeploymentScheduleCreate]
    paused: bool
    kept: tuple[Change, ...]
    contested: tuple[Change, ...] = ()


def drift(recorded: Decided, row: DeploymentResponse) -> tuple[Change, ...]:
    """What differs: `before` is what was registered, `after` what Prefect has now."""
    return _changes(_chosen(recorded), _live(row, _set_by(recorded)))


def settle(decided: Decided, recorded: Decided | None, row: DeploymentResponse | None, *, overwrite: bool) -> Settled:
    """Put together what was chosen and what Prefect has.

    Args:
        decided: what was chosen now.
        recorded: what was chosen in the version before, None where nobody knows.
        row: what Prefect has, None where it has no such deployment.
        overwrite: whether what was changed in Prefect is to be overwritten whatever was chosen before.
    """
    chosen = decided.chosen
    if row is None or recorded is None or overwrite:
        paused = row is not None and row.paused
        told = _job_variables(decided, recorded, row, frozenset())
        return Settled(chosen.parameters, list(chosen.tags), chosen.work_pool, told, _ours(chosen, row), paused, ())
    wanted, before, live = _chosen(decided), _chosen(recorded), _live(row, _set_by(decided) | _set_by(recorded))
    kept = {name for name in {**wanted, **before, **live} if wanted.get(name) == before.get(name) != live.get(name)}
    changed = _changes(before, live)
    settled = {name: said for name, said in wanted.items() if name not in kept}
    settled |= {name: live[name] for name in kept & live.keys()}
    parameters = {**row.parameters, **{k: v for k, v in chosen.parameters.items() if f"parameters.{k}" not in kept}}
    return Settled(
        parameters={name: value for name, value in parameters.items() if f"parameters.{name}" in settled},
        tags=[name.removeprefix("tags.") for name in settled if name.startswith("tags.")],
        work_pool=row.work_pool_name if "work_pool" in kept else chosen.work_pool,
        job_variables=_job_variables(decided, recorded, row, kept),
        schedules=_as_they_are(row) if "schedule" in kept else _ours(chosen, row),
        paused=row.paused,
        kept=tuple(each for each in changed if each.name in kept),
        contested=tuple(each for each in changed if _is_contested(wanted.get(each.name), each)),
    )


def _is_contested(wanted: str | None, changed: Change) -> bool:
    return wanted not in (changed.before, changed.after)


def _job_variables(
    decided: Decided, recorded: Decided | None, row: DeploymentResponse | None, kept: Set[str]
) -> JsonObject:
    """Ours as they were chosen, or kept as they are; and what others have set beside, as it is."""
    live = flat(row.job_variables or {}) if row else {}
    ours = _set_by(recorded) if recorded else frozenset()
    stay = {name: value for name, value in live.items() if name not in ours or f"job_variables.{name}" in kept}
    mine = {name: value for name, value in flat(decided.job_variables).items() if f"job_variables.{name}" not in kept}
    return whole({**stay, **mine})


def _set_by(decided: Decided) -> frozenset[str]:
    return frozenset(flat(decided.job_variables))


def _chosen(decided: Decided) -> Choices:
    chosen = decided.chosen
    settled = _flat(schedules.words(chosen.schedule), chosen.work_pool, chosen.parameters, chosen.tags)
    return settled | _worded(flat(decided.job_variables))


def _live(row: DeploymentResponse, job_variables: frozenset[str]) -> Choices:
    """Of job variables only those named: any others are no choices of ours."""
    settled = _flat(schedules.words_of(row.schedules), row.work_pool_name, row.parameters, row.tags)
    ours = {name: value for name, value in flat(row.job_variables or {}).items() if name in job_variables}
    return settled | _worded(ours)


def _worded(job_variables: JsonObject) -> Choices:
    return {f"job_variables.{name}": json.dumps(value, sort_keys=True) for name, value in job_variables.items()}


def _flat(schedule: str, work_pool: str | None, parameters: JsonObject, tags: list[str] | tuple[str, ...]) -> Choices:
    return {
        "schedule": schedule,
        "work_pool": work_pool or "none",
        **{f"parameters.{name}": json.dumps(value, sort_keys=True) for name, value in parameters.items()},
        **{f"tags.{tag}": tag for tag in tags},
    }


def _changes(before: Choices, after: Choices) -> tuple[Change, ...]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return tuple(Change(name=name, before=before.get(name), after=after.get(name)) for name in names)


def _ours(chosen: Registration, row: DeploymentResponse | None) -> list[DeploymentScheduleCreate]:
    """The schedule that was chosen; where Prefect has just that one, as it stands there: somebody may have switched it off."""
    from prefect.client.schemas.actions import DeploymentScheduleCreate

    if row is not None and schedules.words(chosen.schedule) == schedules.words_of(row.schedules):
        return _as_they_are(row)
    schedule = schedules.to_prefect(chosen.schedule)
    return [DeploymentScheduleCreate(schedule=schedule, active=True, slug=schedules.SLUG)] if schedule else []


def _as_they_are(row: DeploymentResponse) -> list[DeploymentScheduleCreate]:
    from prefect.client.schemas.actions import DeploymentScheduleCreate

    return [
        DeploymentScheduleCreate(
            schedule=each.schedule, active=each.active, parameters=each.parameters or {}, slug=each.slug
        )
        for each in row.schedules
    ]
