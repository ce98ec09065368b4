"""The comparison of two manifests."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, cast

from pydantic import JsonValue

from satflow_ext.choices import schedules
from satflow_ext.job_variables.template import flatten_job_variables
from satflow_ext.models import Change, CodeChange, JsonObject, Schedule, Source, VersionDiff
from satflow_ext.versions import code_comparison
from satflow_ext.versions.code_comparison import SourcePiece, split_source
from satflow_ext.versions.manifest import Manifest

UNEXPLAINED_CHANGE = "The flow differs in something that the recorded source does not show, such as captured data."
NO_SOURCE = "The flows differ, but their code cannot be compared: no source was recorded for one of the versions."
SEPARATE_CHOICES = frozenset(
    {"name", "executor", "schedules", "parameters", "tags", "infrastructure", "notify", "trigger"}
)
"""Choices that are not compared directly: the name is always the same, and the others are formatted first."""
MAX_DIFF_LINES = 5000
"""Maximum number of lines in a piece for which a diff is made: a longer diff takes too long and is not readable."""
MAX_NAMES = 3
"""Maximum number of names that are listed; beyond it, only their number is given."""


def compare_versions(before: Manifest, after: Manifest) -> VersionDiff:
    """Compare one version with another."""
    changes = compare_code(before.source, after.source)
    return VersionDiff(
        before=before.version,
        after=after.version,
        code=changes,
        tasks=code_comparison.compare_wirings(before.source, after.source),
        parameters=compare_parameters(before.parameter_schema, after.parameter_schema),
        executor=compare_executors(before, after),
        choices=compare_choices(before, after),
        environment=compare_interpreters(before, after),
        packages=compare_packages(before, after),
        unexplained=_unexplained_difference(before, after, explained=bool(changes)),
    )


def _unexplained_difference(before: Manifest, after: Manifest, *, explained: bool) -> str | None:
    """Return a note if the flows differ for no visible reason.

    Another Python or other data files change the fingerprint of the same code, so they are visible reasons.
    """
    known = explained or before.files != after.files or before.environment.magic != after.environment.magic
    if before.exact == after.exact or known:
        return None
    sourced = all(each.source.cells or each.source.files for each in (before, after))
    return UNEXPLAINED_CHANGE if sourced else NO_SOURCE


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
        **schedules.list_schedule_facts(schedules.name_slugs(chosen.schedules), _format_schedule),
        **{f"parameters.{name}": format_value(value) for name, value in chosen.parameters.items()},
        **{f"tags.{tag}": tag for tag in chosen.tags},
        **dict.fromkeys(chosen.automation_labels, "on"),
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


def _format_schedule(schedule: Schedule) -> str:
    text = schedules.format_schedule(schedule)
    return text if schedule.active else f"{text}, inactive"


def _interpreter_facts(manifest: Manifest) -> dict[str, str]:
    found = manifest.environment
    return {"python": f"{found.implementation} {found.python}", "executable": found.executable}


def compare_code(before: Source, after: Source) -> tuple[CodeChange, ...]:
    """Return pieces that were added, removed or changed, in the order of the later version, with removed ones last."""
    old, new = split_source(before), split_source(after)
    names = [*new, *(name for name in old if name not in new)]
    return tuple(_code_changes(old, new, names))


def _code_changes(old: dict[str, SourcePiece], new: dict[str, SourcePiece], names: list[str]) -> Iterator[CodeChange]:
    for name in names:
        was, now = old.get(name), new.get(name)
        if (was and was.text) != (now and now.text):
            known = now or was
            assert known is not None  # each name is in `old` or in `new`
            yield CodeChange(
                name=name, kind=known.kind, change=_change_kind(was, now), diff=_unified_diff(name, was, now)
            )


def _change_kind(was: SourcePiece | None, now: SourcePiece | None) -> Literal["added", "removed", "changed"]:
    if was is None:
        return "added"
    return "removed" if now is None else "changed"


def _unified_diff(name: str, was: SourcePiece | None, now: SourcePiece | None) -> str:
    old, new = (piece.text.splitlines() if piece else [] for piece in (was, now))
    if max(len(old), len(new)) > MAX_DIFF_LINES:
        return f"{len(old)} lines became {len(new)}; too long to compare line by line."
    return "\n".join(difflib.unified_diff(old, new, f"{name} before", f"{name} after", lineterm=""))


def compare_parameters(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """Return parameters that were added, removed, or have another type or default."""
    return compare_facts(_parameter_facts(before), _parameter_facts(after))


def _parameter_facts(schema: JsonObject) -> dict[str, str]:
    properties = cast("dict[str, JsonObject]", schema.get("properties") or {})
    return {name: _format_parameter(each) for name, each in properties.items()}


def _format_parameter(parameter: JsonObject) -> str:
    """Format a parameter, such as `integer = 4`; a parameter without a default is required."""
    kind = _format_type(parameter)
    return f"{kind} = {json.dumps(parameter['default'])}" if "default" in parameter else kind


def _format_type(schema: JsonValue) -> str:
    if not isinstance(schema, dict):
        return "any"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "allOf", "oneOf"):
        if isinstance(options := schema.get(several), list):
            return " or ".join(map(_format_type, options))
    if "enum" in schema:
        return "one of " + json.dumps(schema["enum"])
    kind = str(schema.get("format") or schema.get("type") or "any")
    return f"{kind} of {_format_type(schema['items'])}" if schema.get("items") else kind


def summarize_diff(diff: VersionDiff) -> str:
    """List the kinds of change, most important first."""
    return "; ".join(_change_parts(diff)) or "nothing"


def _change_parts(diff: VersionDiff) -> Iterator[str]:
    if diff.code:
        yield f"code of {_format_names((piece.name for piece in diff.code), 'pieces')}"
    if diff.parameters:
        yield f"parameter {_format_changes(diff.parameters)}"
    if diff.executor:
        another = tuple(change for change in diff.executor if change.name == "executor")
        yield _format_changes(another or diff.executor)
    if diff.choices:
        yield _format_changes(diff.choices)
    if diff.environment:
        yield _format_changes(diff.environment)
    if diff.packages:
        yield f"packages {_format_names((change.name for change in diff.packages), 'packages')}"
    if diff.unexplained:
        yield "captured data"


def _format_changes(changes: tuple[Change, ...]) -> str:
    if len(changes) > 1:
        return _format_names((change.name for change in changes), "changes")
    (change,) = changes
    if change.before is None or change.after is None:
        return f"{change.name} {'added' if change.before is None else 'removed'}"
    return f"{change.name} {_shorten_text(change.before)} → {_shorten_text(change.after)}"


def _format_names(names: Iterable[str], word: str) -> str:
    known = list(names)
    return ", ".join(known) if len(known) <= MAX_NAMES else f"{len(known)} {word}"


def _shorten_text(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def compare_facts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the facts that differ, in the order of the later mapping, with removed ones last."""
    names = [name for name in {**after, **before} if before.get(name) != after.get(name)]
    return tuple(Change(name=name, before=before.get(name), after=after.get(name)) for name in names)


def format_value(value: JsonValue) -> str:
    """Format a value for display: text unchanged, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
