"""Two manifests side by side."""

from __future__ import annotations

from satflow_ext.models import VersionDiff
from satflow_ext.registration.compare import choices, code, parameters, wiring
from satflow_ext.registration.manifest import Manifest

UNEXPLAINED = "The flow differs in something that no source here tells, such as data that it captured."
LOCAL = "No source was recorded for one of them, so its code cannot be compared; the flows differ."


def between(before: Manifest, after: Manifest) -> VersionDiff:
    """What differs from one version to another."""
    changes = code.changes(before.source, after.source)
    return VersionDiff(
        before=before.version,
        after=after.version,
        code=changes,
        tasks=wiring.changes(before.source, after.source),
        parameters=parameters.changes(before.parameter_schema, after.parameter_schema),
        executor=choices.executor(before, after),
        choices=choices.others(before, after),
        environment=choices.environment(before, after),
        packages=choices.packages(before, after),
        unexplained=_unexplained(before, after, explained=bool(changes)),
    )


def _unexplained(before: Manifest, after: Manifest, *, explained: bool) -> str | None:
    """The same code under another Python has another fingerprint, and so have other data files."""
    known = explained or before.files != after.files or before.environment.magic != after.environment.magic
    if before.exact == after.exact or known:
        return None
    sourced = all(each.source.cells or each.source.files for each in (before, after))
    return UNEXPLAINED if sourced else LOCAL
