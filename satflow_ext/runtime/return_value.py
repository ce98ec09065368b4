"""Storing of the value that a flow returns, before its run completes (docs/decisions/0037-results.md).

A failure here never fails the run: the value is then not stored, and the run's log and its reference state why.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import update_wrapper
from inspect import unwrap
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from satflow_ext import endpoints
from satflow_ext.credentials import redacting_filter
from satflow_ext.errors import KeysRefused, SatflowError
from satflow_ext.runtime import loader, this_run
from satflow_ext.settings import Settings

if TYPE_CHECKING:
    from prefect import Flow

    from satflow_ext.keys import Signer
    from satflow_ext.results.formats import ResultFormat

BODY_FILE = "satflow_result_body"
DOCUMENT_FILE = "satflow_result"


class _NotStored(Exception):
    """The value is not stored.

    Args:
        reason: a key of `results.reference.NOT_STORED_REASONS`.
        detail: the reason as the end of a sentence of the run's log.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def store_return_value(flow: Flow[..., Any], folder: Path, settings: Settings) -> Flow[..., Any]:
    """Make the flow store its return value when it is executed by the flow run of this process.

    Args:
        flow: the flow.
        folder: the run's folder, with the name of the store.
        settings: contain the store and the maximum size.
    """
    store = folder / loader.STORE_FILE  # missing if the pull step was that of an earlier SatFlow
    if settings.result_limit == 0 or flow.isgenerator or not store.exists():
        return flow
    body = flow.fn
    is_own_run = _is_run_of_process
    in_thread = asyncio.to_thread
    store_or_report = _Upload(folder, store.read_text(), settings).store_or_report

    def run_and_store(*arguments: Any, **named: Any) -> Any:
        value = body(*arguments, **named)
        if is_own_run():
            store_or_report(value)
        return value

    async def await_and_store(*arguments: Any, **named: Any) -> Any:
        value = await body(*arguments, **named)
        if is_own_run():
            await in_thread(store_or_report, value)  # encoding blocks
        return value

    wrapper: Any = await_and_store if flow.isasync else run_and_store
    # Prefect looks up the flow's annotations in the globals of its function.
    own_globals = getattr(unwrap(body), "__globals__", wrapper.__globals__)
    with_globals = FunctionType(wrapper.__code__, own_globals, wrapper.__name__, None, wrapper.__closure__)
    flow.fn = update_wrapper(with_globals, body)
    return flow


def _is_run_of_process() -> bool:
    """Return whether the current flow run is that of this process, and not a nested one of the same flow."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return run is not None and str(run.id) == os.environ.get(this_run.RUN_ID)


@dataclass(frozen=True)
class _Upload:
    """The upload of the value of this process's flow run."""

    folder: Path
    store: str
    settings: Settings

    def store_or_report(self, returned: Any) -> None:
        """Store the value, and set the reference of the run. Log why that was not possible."""
        try:
            asyncio.run(self._store_with_reference(returned))
        except Exception as error:  # Prefect's client and its transport raise many types
            this_run.get_logger().warning(
                f"The result of this run cannot be found: its label was not set ({type(error).__name__})."
            )

    async def _store_with_reference(self, returned: Any) -> None:
        from satflow_ext.results import reference

        try:
            label = await self._try_to_store(returned)
        except _NotStored as problem:
            this_run.get_logger().warning(f"The result of this run was not stored: {problem}.")
            label = reference.NOT_STORED_PREFIX + problem.reason
        if label is not None:
            await this_run.set_labels({reference.RESULT_LABEL: label})

    async def _try_to_store(self, returned: Any) -> str | None:
        """Store the value, and return the label. None if the run will fail because of what its flow returned."""
        from satflow_ext.results import reference

        try:
            value = await asyncio.to_thread(_resolve_futures, returned)
        except Exception:  # a task or the returned state has failed; Prefect determines the state of the run
            return None
        if value is None:
            return reference.NONE_TEXT
        try:
            digest = await self._store(value)
        except _NotStored:
            raise
        except SatflowError as problem:
            raise _NotStored("store", str(problem).rstrip(".")) from None
        except Exception as error:  # the disk, or a type of the user that fails when it is inspected
            raise _NotStored("error", f"an error occurred ({type(error).__name__})") from None
        finally:
            for name in (BODY_FILE, DOCUMENT_FILE):
                (self.folder / name).unlink(missing_ok=True)
        return reference.ResultReference(self.store, digest).label

    async def _store(self, value: object) -> str:
        from satflow_ext.versions.store_client import StoreClient

        store = endpoints.find_store(self.store, self.settings, endpoints.read_record(self.settings))
        found = self._encode_value(value)
        self._refuse_secrets()
        document = self.folder / DOCUMENT_FILE
        digest = self._write_document(found, document)
        async with StoreClient(store) as client:
            await client.put_file(digest, document)
        return digest

    def _encode_value(self, value: object) -> ResultFormat:
        from satflow_ext.results.formats import BoundedFile, write_value
        from satflow_ext.results.plain_json import ResultTooLarge

        limit = self.settings.result_limit
        with (self.folder / BODY_FILE).open("x+b") as file:
            try:
                return write_value(value, BoundedFile(file, limit))
            except ResultTooLarge:
                raise _NotStored("size", f"it is larger than {limit:,} bytes (`result_limit`)") from None
            except OSError:
                raise
            except Exception as error:  # the pickler calls methods of the user's types
                detail = f"it has no format without code, and cannot be pickled ({type(error).__name__})"
                raise _NotStored("pickle", detail) from None

    def _refuse_secrets(self) -> None:
        path = self.folder / BODY_FILE
        if not redacting_filter.declared_names() or path.stat().st_size == 0:
            return
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            name = redacting_filter.make_redactor().find_secret(data)
        if name is not None:
            raise _NotStored("secret", f"it contains the value of the secret {name}")

    def _write_document(self, found: ResultFormat, document: Path) -> str:
        from satflow_ext.results.document import ResultHeader, write_document
        from satflow_ext.versions import envelope
        from satflow_ext.versions.packing_environment import current_environment

        body = self.folder / BODY_FILE
        header = ResultHeader(
            run_id=os.environ[this_run.RUN_ID],
            format=found.name,
            sha256=envelope.digest_of(body),
            size=body.stat().st_size,
            made=current_environment() if found.runs_code else None,
            created=datetime.now(timezone.utc),
            random=secrets.token_hex(16),
        )
        return write_document(header, self._find_signer(), body, document)

    def _find_signer(self) -> Signer | None:
        """Return the signer of the user who executes this run. A run creates no key."""
        from satflow_ext.keys import Keyring

        try:
            return Keyring(self.settings).find_signer()
        except KeysRefused as error:
            this_run.get_logger().warning(f"The result of this run is not signed: {error}")
            return None


def _resolve_futures(returned: Any) -> Any:
    """Return the value of a run from what its flow returned: futures of tasks become their results, a state its data.

    Raises:
        Exception: a task or the state has failed.
    """
    from prefect.client.schemas.objects import State
    from prefect.futures import resolve_futures_to_results

    if isinstance(returned, State):
        if not returned.is_completed():
            raise ValueError(returned.name)
        return getattr(returned.data, "result", returned.data)
    return resolve_futures_to_results(returned)
