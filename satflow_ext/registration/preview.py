"""Preview of a registration: its result, determined without sending anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from satflow_ext.deployments import recovery
from satflow_ext.deployments.automations import plan_automations
from satflow_ext.deployments.state import read_compatible_state
from satflow_ext.endpoints import Endpoints
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import Finding, PackedFlow, Registration, VersionDiff
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration.checks import check_registration
from satflow_ext.registration.draft import build_draft, find_ignored_memory, find_work_pool
from satflow_ext.registration.next_version import StoredContent, complete_draft
from satflow_ext.settings import Settings
from satflow_ext.versions import comparison


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
    checked = check_registration(packed, registration, endpoints, settings)
    async with prefect_client(endpoints.prefect) as client:
        pool = await find_work_pool(client, registration.work_pool or endpoints.work_pool)
        draft = build_draft(packed, registration, checked.executor, pool)
        await plan_automations(client, registration, draft.full_name, None)
        recovered = await recovery.inspect_deployment(client, draft.full_name, endpoints, settings)
    state = await read_compatible_state(recovered, endpoints, read_trusted_keys(settings), overwrite=overwrite)
    ignored = find_ignored_memory(pool, registration, local=endpoints.local)
    warnings = (*state.find_other_notebook(draft), *checked.warnings, *ignored)
    if state.is_unchanged(draft):
        return Preview(draft.full_name, "unchanged", None, warnings)
    state.merge_draft(draft, overwrite=overwrite, runs_locally=endpoints.local)
    if state.live is None:
        return Preview(draft.full_name, "changed" if state.row else "created", None, warnings)
    new_manifest = complete_draft(draft, state.next_position, StoredContent(draft.content, draft.size))
    return Preview(draft.full_name, "changed", comparison.compare_versions(state.live, new_manifest), warnings)
