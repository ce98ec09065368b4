"""What registering would do, found out with nothing sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from satflow_ext.endpoints import Endpoints
from satflow_ext.keys import trusted
from satflow_ext.models import PackedFlow, Registration, VersionDiff
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import compare, healing, objections, sealing
from satflow_ext.registration.detours import detours
from satflow_ext.registration.drift import settle
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.plan import check, planned, work_pool
from satflow_ext.registration.registrar import manifest_for, manifest_of, other_notebook, same
from satflow_ext.settings import Settings

NOT_SENT = sealing.Sealed("sha256:" + "0" * 64, 0)


@dataclass(frozen=True)
class Preview:
    """What would become of `flow/deployment`. `diff` None: there is nothing to compare with, or no difference.

    `other_notebook` is as in `models.Registered`.
    """

    full_name: str
    outcome: Literal["created", "changed", "unchanged"]
    diff: VersionDiff | None
    other_notebook: str | None


async def preview(
    packed: PackedFlow, registration: Registration, endpoints: Endpoints, settings: Settings, *, overwrite: bool = False
) -> Preview:
    """Check everything that registering checks before it sends anything, and compare with what is live.

    Raises:
        SatflowError: it would be refused.
    """
    executor = check(packed, registration, endpoints, settings)
    async with prefect_client(endpoints.prefect) as client:
        pool = await work_pool(client, registration.work_pool or endpoints.work_pool)
        plan = planned(packed.flow.name, registration, executor, pool, settings)
        healed = await healing.look(client, plan.full_name, endpoints, settings)
    if not overwrite:
        objections.check_ours(healed, plan.full_name)
    row = healed.row
    found = await manifest_of(row, endpoints, trusted(settings))
    known = found if isinstance(found, Manifest) else None
    other = other_notebook(known, packed)
    if known and same(known, packed, plan):
        return Preview(plan.full_name, "unchanged", None, other)
    if row and not overwrite:
        contested = settle(plan, known, row, overwrite=False).contested
        objections.check_conflicts(contested + detours(known, row, local=endpoints.local), plan.full_name)
    if known is None:
        return Preview(plan.full_name, "changed" if row else "created", None, other)
    wanted = manifest_for(packed, plan, sealing.next_place(row, found, healed.written), NOT_SENT)
    return Preview(plan.full_name, "changed", compare.between(known, wanted), other)
