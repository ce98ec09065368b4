"""Differences in the registered choices, and in the environment that packed the flow."""

from __future__ import annotations

from satflow_ext.job_variables import flatten_job_variables
from satflow_ext.models import Change
from satflow_ext.registration import schedules
from satflow_ext.registration.compare.fact_changes import compare_facts, format_value
from satflow_ext.registration.manifest import Manifest

SEPARATE_CHOICES = frozenset({"name", "executor", "schedule", "parameters", "tags", "infrastructure"})
"""Choices that are not compared directly: the name is always the same, and the others are formatted first."""


def compare_executors(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare the executor and its options."""
    return compare_facts(_executor_facts(before), _executor_facts(after))


def compare_choices(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare schedule, default parameters, tags, work pool, every other choice, and data files."""
    return compare_facts(_choice_facts(before), _choice_facts(after))


def compare_interpreters(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare the interpreter."""
    return compare_facts(_interpreter_facts(before), _interpreter_facts(after))


def compare_packages(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Compare installed distributions: added, removed, or of another version."""
    return compare_facts(before.environment.packages, after.environment.packages)


def _executor_facts(manifest: Manifest) -> dict[str, str]:
    chosen = manifest.executor
    given = {name: format_value(value) for name, value in chosen.options.items() if value is not None}
    return {"executor": chosen.name, **given}


def _choice_facts(manifest: Manifest) -> dict[str, str]:
    chosen = manifest.chosen
    plain = chosen.model_dump(mode="json", exclude=set(SEPARATE_CHOICES))
    return {
        "schedule": schedules.format_schedule(chosen.schedule),
        **{f"parameters.{name}": format_value(value) for name, value in chosen.parameters.items()},
        **{f"tags.{tag}": tag for tag in chosen.tags},
        **{name: format_value(value) for name, value in plain.items()},
        **{
            f"job_variables.{name}": format_value(value)
            for name, value in flatten_job_variables(manifest.job_variables).items()
        },
        **{f"files.{file.path}": file.digest for file in manifest.files},
        **(
            {"git": f"{manifest.git.path} of {manifest.git.repository} at {manifest.git.commit[:12]}"}
            if manifest.git
            else {}
        ),
    }


def _interpreter_facts(manifest: Manifest) -> dict[str, str]:
    found = manifest.environment
    return {"python": f"{found.implementation} {found.python}", "executable": found.executable}
