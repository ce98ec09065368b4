"""Differences in the registered choices, and in the environment that packed the flow."""

from __future__ import annotations

from satflow_ext.job_variables import flat
from satflow_ext.models import Change
from satflow_ext.registration import schedules
from satflow_ext.registration.compare.facts import changes, said
from satflow_ext.registration.manifest import Manifest

ELSEWHERE = frozenset({"name", "executor", "schedule", "parameters", "tags", "infrastructure"})
"""Choices that are not compared directly: the name is always the same, and the others are formatted first."""


def executor(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare the executor and its options."""
    return changes(_executor(before), _executor(after))


def others(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare schedule, default parameters, tags, work pool, every other choice, and data files."""
    return changes(_others(before), _others(after))


def environment(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare the interpreter."""
    return changes(_environment(before), _environment(after))


def packages(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare installed distributions: added, removed, or of another version."""
    return changes(before.environment.packages, after.environment.packages)


def _executor(manifest: Manifest) -> dict[str, str]:
    chosen = manifest.executor
    given = {name: said(value) for name, value in chosen.options.items() if value is not None}
    return {"executor": chosen.name, **given}


def _others(manifest: Manifest) -> dict[str, str]:
    chosen = manifest.chosen
    plain = chosen.model_dump(mode="json", exclude=set(ELSEWHERE))
    return {
        "schedule": schedules.words(chosen.schedule),
        **{f"parameters.{name}": said(value) for name, value in chosen.parameters.items()},
        **{f"tags.{tag}": tag for tag in chosen.tags},
        **{name: said(value) for name, value in plain.items()},
        **{f"job_variables.{name}": said(value) for name, value in flat(manifest.job_variables).items()},
        **{f"files.{file.path}": file.digest for file in manifest.files},
        **(
            {"git": f"{manifest.git.path} of {manifest.git.repository} at {manifest.git.commit[:12]}"}
            if manifest.git
            else {}
        ),
    }


def _environment(manifest: Manifest) -> dict[str, str]:
    found = manifest.environment
    return {"python": f"{found.implementation} {found.python}", "executable": found.executable}
