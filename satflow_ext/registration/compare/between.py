"""The comparison of two manifests."""

from __future__ import annotations

from satflow_ext.models import VersionDiff
from satflow_ext.registration.compare import choice_changes, code, schema_changes, wiring
from satflow_ext.registration.manifest import Manifest

UNEXPLAINED_CHANGE = "The flow differs in something that the recorded source does not show, such as captured data."
NO_SOURCE = "The flows differ, but their code cannot be compared: no source was recorded for one of the versions."


def compare_versions(before: Manifest, after: Manifest) -> VersionDiff:
    """Compare one version with another."""
    changes = code.compare_code(before.source, after.source)
    return VersionDiff(
        before=before.version,
        after=after.version,
        code=changes,
        tasks=wiring.compare_wirings(before.source, after.source),
        parameters=schema_changes.compare_parameters(before.parameter_schema, after.parameter_schema),
        executor=choice_changes.compare_executors(before, after),
        choices=choice_changes.compare_choices(before, after),
        environment=choice_changes.compare_interpreters(before, after),
        packages=choice_changes.compare_packages(before, after),
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
