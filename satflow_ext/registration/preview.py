"""Preview of a registration: its result, determined without sending anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from satflow_ext.deployments import conflicts, recovery
from satflow_ext.deployments.drift import merge_choices
from satflow_ext.deployments.rows import find_path_changes
from satflow_ext.endpoints import Endpoints
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import Finding, PackedFlow, Registration, VersionDiff
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import content_upload
from satflow_ext.registration.plan import build_plan, check_registration, find_work_pool
from satflow_ext.registration.registrar import (
    build_manifest,
    find_other_notebook,
    find_warnings,
    is_unchanged,
    read_live_manifest,
)
from satflow_ext.settings import Settings
from satflow_ext.versions import comparison
from satflow_ext.versions.manifest import Manifest

UNSENT_CONTENT = content_upload.StoredContent("sha256:" + "0" * 64, 0)


@dataclass(frozen=True)
class Preview:
    """The result that registering `flow/deployment` would have.

    `diff` is None if there is no version to compare with, or no difference. `warnings` are as in `Registered`.
    """

    full_name: str
    outcome: Literal["created", "changed", "unchanged"]
    diff: VersionDiff | None
    warnings: tuple[Finding, ...]


async def preview_registration(
    packed: PackedFlow, registration: Registration, endpoints: Endpoints, settings: Settings, *, overwrite: bool = False
) -> Preview:
    """Make all checks that registering makes before it sends anything, and compare with the live version.

    Raises:
        SatflowError: registering would be refused.
    """
    executor = check_registration(packed, registration, endpoints, settings)
    warnings = find_warnings(packed, executor, settings)
    async with prefect_client(endpoints.prefect) as client:
        pool = await find_work_pool(client, registration.work_pool or endpoints.work_pool)
        plan = build_plan(packed.flow.name, registration, executor, pool, settings)
        healed = await recovery.inspect_deployment(client, plan.full_name, endpoints, settings)
    if not overwrite:
        conflicts.check_divergence(healed, plan.full_name)
    row = healed.row
    found = await read_live_manifest(row, endpoints, read_trusted_keys(settings))
    known = found if isinstance(found, Manifest) else None
    warnings = (*find_other_notebook(known, packed), *warnings)
    if known and is_unchanged(known, packed, plan):
        return Preview(plan.full_name, "unchanged", None, warnings)
    if row and not overwrite:
        contested = merge_choices(plan, known, row, overwrite=False).contested
        conflicts.check_conflicts(contested + find_path_changes(known, row, local=endpoints.local), plan.full_name)
    if known is None:
        return Preview(plan.full_name, "changed" if row else "created", None, warnings)
    new_manifest = build_manifest(
        packed, plan, content_upload.next_position(row, found, healed.written), UNSENT_CONTENT
    )
    return Preview(plan.full_name, "changed", comparison.compare_versions(known, new_manifest), warnings)
