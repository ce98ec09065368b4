"""Roll back: create the next version from an earlier one (docs/decisions/0007).

A version number is never reused, so the earlier manifest is not pinned again: its content is checked, then sealed and signed for
the next number, with the key of the user who rolls back. The earlier choices are restored, and overwrite changes in Prefect.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import DeploymentNotFound, PythonMismatch
from satflow_ext.keys import Keyring, Signer, trusted, user_name
from satflow_ext.models import JsonObject, Registered
from satflow_ext.prefect_api import prefect_client
from satflow_ext.registration import content_download, content_upload, deployments, prewarm_request, publish, recovery
from satflow_ext.registration.deployment_lock import turn
from satflow_ext.registration.drift import settle
from satflow_ext.registration.journal import Journal
from satflow_ext.registration.manifest import Manifest
from satflow_ext.registration.recovery import Healed
from satflow_ext.registration.registrar import as_recorded, manifest_of, registered
from satflow_ext.registration.registration_plan import asked_of, check_choices, work_pool
from satflow_ext.registration.versions import chain_from
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient


async def roll_back(endpoints: Endpoints, settings: Settings, deployment_id: str, number: int) -> Registered:
    """Create the next version from an earlier one: its code, and all of its choices.

    Rolling back to the live version restores the values of that version that were changed in Prefect.

    Raises:
        DeploymentNotFound: Prefect has no deployment with that id, or SatFlow did not create it.
        VersionNotFound: it has no such version.
        ContentMissing: the store no longer has that version's content.
        NotTrusted: it was signed by a key that is not trusted on this machine.
        PythonMismatch: the interpreter that packed it no longer exists on this machine.
        SizeRefused: this machine can no longer provide its worker size.
        WorkPoolNotFound: Prefect no longer has its work pool.
        StoreFailed: a request to the store failed; the deployment is unchanged.
        PrefectFailed: the deployment was not written; the previous version is unchanged.
    """
    async with prefect_client(endpoints.prefect) as client:
        row, flow_name = await deployments.read_row(client, deployment_id)
        full_name = f"{flow_name}/{row.name}"
        async with turn(full_name, endpoints.prefect, settings):
            healed = await recovery.heal(
                client, full_name, endpoints, settings
            )  # it may have changed during the wait for the lock
            return await _roll_back(client, healed, full_name, number, endpoints, settings)


async def _roll_back(
    client: PrefectClient,
    healed: Healed,
    full_name: str,
    number: int,
    endpoints: Endpoints,
    settings: Settings,
) -> Registered:
    row, keys = healed.row, trusted(settings)
    if row is None:
        raise DeploymentNotFound(f"{full_name} was deleted a moment ago.", fix="Register the flow again.")
    chain = await chain_from(row, full_name, endpoints.store)
    brought = await content_download.bring(chain, number, keys)
    asked = await _check(client, brought.manifest, endpoints, settings)
    if number == chain.newest:
        return await as_recorded(client, row, brought.manifest, endpoints, settings, overwrite=True)
    signer = await asyncio.to_thread(Keyring(settings).signer)
    live = await manifest_of(row, endpoints, keys)
    place = content_upload.next_place(row, live, healed.written)
    async with content_download.as_file(brought.opened, settings) as body:
        made = await _made(brought.manifest, body, place, endpoints, signer)
    made = made.model_copy(update={"job_variables": asked})
    pin = await content_upload.write(made, endpoints, signer)
    settled = settle(made, live if isinstance(live, Manifest) else None, row, overwrite=True)
    written = await publish.tell(client, made, pin, settled, row, endpoints, Journal(settings))
    await asyncio.to_thread(prewarm_request.note, made, endpoints, settings)
    return await registered(written, made, "changed", (), endpoints)


async def _check(client: PrefectClient, wanted: Manifest, endpoints: Endpoints, settings: Settings) -> JsonObject:
    """Refuse a version that can no longer run, and return its job variables for the current work pool."""
    check_choices(wanted.chosen, settings, local=endpoints.local)
    asked = asked_of(await work_pool(client, wanted.chosen.work_pool), wanted.chosen)
    await content_download.check_files(endpoints.store, wanted)
    executable = wanted.environment.executable
    if endpoints.local and not os.access(executable, os.X_OK):
        raise PythonMismatch(
            f"Version {wanted.version} of {wanted.full_name} runs with {executable}, which no longer exists.",
            fix="Load it into a notebook with %load_flow and register it from there.",
        )
    return asked


async def _made(
    earlier: Manifest, body: Path, place: content_upload.Place, endpoints: Endpoints, signer: Signer
) -> Manifest:
    """Upload the content of the next version, and return its manifest."""
    sealed = await content_upload.seal(body, earlier.environment, earlier.full_name, place.version, endpoints, signer)
    changed = {
        "version": place.version,
        "content": sealed.content,
        "size": sealed.size,
        "registered_by": user_name(),
        "registered_at": content_upload.now(),
        "restores": earlier.version,
        "earlier": place.earlier,
    }
    return earlier.model_copy(update=changed)
