"""The download of a run's result from the store, and its verification. Nothing of it is read or unpickled here."""

from __future__ import annotations

from satflow_ext import endpoints as addresses
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ResultMissing
from satflow_ext.keys import read_trusted_keys
from satflow_ext.prefect_api import prefect_client
from satflow_ext.results import document
from satflow_ext.results.document import VerifiedResult
from satflow_ext.results.reference import ResultReference, parse_label
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.settings import LOCAL, Settings
from satflow_ext.versions.store_client import StoreClient


async def download_result(endpoints: Endpoints, settings: Settings, run_id: str) -> VerifiedResult | None:
    """Download and verify the result of a completed run; None if its flow returned None.

    Args:
        endpoints: contain the Prefect API.
        settings: contain the stores, the keys that this machine trusts, and the size limits.
        run_id: the flow run.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        ResultMissing: the result was not stored, or was removed from the store.
        SignatureWrong: it was changed after the run.
        ContentRefused: it is not a result, or that of another run.
        SettingsWrong: the settings do not contain the store.
        StoreFailed: the request to the store failed.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(endpoints.prefect) as client:
        run = await find_run(client, run_id)
    reference = parse_label(run.labels, run.name)
    if reference is None:
        return None
    content = await download_document(
        reference, endpoints, settings, f"the result of run {run.name}", settings.result_limit
    )
    return document.verify_document(content, str(run.id), read_trusted_keys(settings))


async def download_document(
    reference: ResultReference, endpoints: Endpoints, settings: Settings, name: str, limit: int
) -> bytes:
    """Download a document that a run stored, and check its digest.

    Args:
        reference: the store and the digest.
        endpoints: contain the store in use.
        settings: contain the other stores, and the limit of contents.
        name: the document in messages, such as "the result of run calm-fox".
        limit: maximum bytes of its values on this machine; a run on another machine may have a larger limit.

    Raises:
        ResultMissing: the store no longer has it.
        SettingsWrong: the settings do not contain the store.
        StoreFailed: the request to the store failed.
    """
    if reference.store == endpoints.store.name:
        store = endpoints.store
    else:
        store = addresses.find_store(reference.store, settings, addresses.read_record(settings))
    try:
        async with StoreClient(store) as client:
            most = max(limit, settings.content_limit) + document.HEADER_LIMIT
            return await client.get(reference.digest, limit=most)
    except ContentMissing:
        kept = f" It keeps them for {settings.retention_days:g} days." if reference.store == LOCAL else ""
        raise ResultMissing(
            f"The store {reference.store!r} no longer has {name}.{kept}", fix="Start the run again."
        ) from None
