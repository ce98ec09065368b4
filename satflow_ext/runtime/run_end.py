"""Storing at the end of a flow run: the flow's return value, or the inputs of failed tasks (docs/decisions/0037 and 0039).

A failure here never affects the run: the value is then not stored, and the run's log and its reference state why.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import update_wrapper
from inspect import unwrap
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from satflow_ext import endpoints
from satflow_ext.credentials import redacting_filter
from satflow_ext.errors import KeysRefused, MemoryLimitExceeded, SatflowError
from satflow_ext.fork_requests.start_run import MEMORY_LIMIT, can_limit_memory, use_report_reserve
from satflow_ext.redaction.guard import exception_chain
from satflow_ext.run_logs.input_capture import CapturedInput, CapturedTask, InputCollector, start_collecting
from satflow_ext.runs.input_labels import ALL_INPUTS, INPUTS_PREFIX, VERSION_LABEL, KeptInputs
from satflow_ext.runtime import loader, this_run
from satflow_ext.settings import GIB, Settings

if TYPE_CHECKING:
    from prefect import Flow

    from satflow_ext.keys import Signer
    from satflow_ext.results.document import DocumentHeader
    from satflow_ext.results.failed_tasks import InputsHeader
    from satflow_ext.value_formats.formats import ValueFormat
    from satflow_ext.versions.manifest import Manifest

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


class _FlowFailed(Exception):
    """The flow returned a failed state, or the future of a task that has failed."""


def store_at_end(flow: Flow[..., Any], manifest: Manifest, folder: Path, settings: Settings) -> Flow[..., Any]:
    """Make the flow store its return value, or the inputs of its failed tasks, when the flow run of this process executes it.

    Args:
        flow: the flow.
        manifest: its version.
        folder: the run's folder, with the name of the store.
        settings: contain the store and the maximum sizes.
    """
    store = folder / loader.STORE_FILE  # missing if the pull step was that of an earlier SatFlow
    if flow.isgenerator or not store.exists() or not (settings.result_limit or settings.inputs_limit):
        return flow
    global _run_end
    _run_end = _RunEnd(folder, store.read_text(), settings, manifest, start_collecting(settings.inputs_limit))
    wrap = _wrap_async if flow.isasync else _wrap_sync
    _replace_body(flow, wrap(flow.fn, _store_value, _store_inputs))
    return flow


def _replace_body(flow: Flow[..., Any], wrapper: Any) -> None:
    # Prefect looks up the flow's annotations in the globals of its function.
    own_globals = getattr(unwrap(flow.fn), "__globals__", wrapper.__globals__)
    with_globals = FunctionType(wrapper.__code__, own_globals, wrapper.__name__, None, wrapper.__closure__)
    flow.fn = update_wrapper(with_globals, flow.fn)


def explain_memory_errors(flow: Flow[..., Any]) -> Flow[..., Any]:
    """Make the flow fail with `MemoryLimitExceeded` if this process has a memory limit, and gets no more memory."""
    if MEMORY_LIMIT not in os.environ or not can_limit_memory() or flow.isgenerator:
        return flow
    explain = _explain_memory_error
    body = flow.fn

    def run_and_explain(*arguments: Any, **named: Any) -> Any:
        try:
            return body(*arguments, **named)
        except Exception as error:
            explain(error)
            raise

    async def await_and_explain(*arguments: Any, **named: Any) -> Any:
        try:
            return await body(*arguments, **named)
        except Exception as error:
            explain(error)
            raise

    _replace_body(flow, await_and_explain if flow.isasync else run_and_explain)
    return flow


def _explain_memory_error(error: Exception) -> None:
    """Raise the explanation of an exception that a lack of memory has caused, with the lines of the flow."""
    if not any(isinstance(each, MemoryError) for each in exception_chain(error)):
        return
    use_report_reserve()
    limit = int(os.environ[MEMORY_LIMIT]) / GIB
    raise MemoryLimitExceeded(
        f"The run exceeded its memory limit of {limit:g} GiB, which applies to each of its processes.",
        fix="Register it with more memory (--memory).",
    ).with_traceback(error.__traceback__) from error


# The inner functions get other globals, so they use only their arguments and the variables around them.


def _wrap_sync(
    body: Callable[..., Any], store_value: Callable[[object], None], store_inputs: Callable[[], None]
) -> Callable[..., Any]:
    def run_and_store(*arguments: Any, **named: Any) -> Any:
        try:
            value = body(*arguments, **named)
        except Exception:
            store_inputs()
            raise
        store_value(value)
        return value

    return run_and_store


def _wrap_async(
    body: Callable[..., Any], store_value: Callable[[object], None], store_inputs: Callable[[], None]
) -> Callable[..., Any]:
    in_thread = asyncio.to_thread  # encoding and uploads block

    async def await_and_store(*arguments: Any, **named: Any) -> Any:
        try:
            value = await body(*arguments, **named)
        except Exception:
            await in_thread(store_inputs)
            raise
        await in_thread(store_value, value)
        return value

    return await_and_store


_run_end: _RunEnd | None = None
"""The end of the flow run of this process. The flow does not refer to it, because task runners send the flow elsewhere."""


def _store_value(returned: object) -> None:
    if _run_end is not None and _is_run_of_process():
        _run_end.store_value_or_report(returned)


def _store_inputs() -> None:
    if _run_end is not None and _is_run_of_process():
        _run_end.store_inputs_or_report()


def _is_run_of_process() -> bool:
    """Return whether the current flow run is that of this process, and not a nested one of the same flow."""
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return run is not None and str(run.id) == os.environ.get(this_run.RUN_ID)


@dataclass(frozen=True)
class _RunEnd:
    """The end of this process's flow run."""

    folder: Path
    store: str
    settings: Settings
    manifest: Manifest
    collector: InputCollector

    def store_value_or_report(self, returned: Any) -> None:
        """Store the value of the run, and set its reference. Log why that was not possible."""
        try:
            asyncio.run(self._store_with_reference(returned))
        except Exception as error:  # Prefect's client and its transport raise many types
            this_run.get_logger().warning(
                f"The result of this run cannot be found: its label was not set ({type(error).__name__})."
            )

    def store_inputs_or_report(self) -> None:
        """Store the inputs of failed tasks of the run. Log which were not kept, and why."""
        try:
            asyncio.run(self._store_inputs())
        except Exception as error:  # as above
            this_run.get_logger().warning(
                f"The inputs of this run's failed tasks cannot be found: their labels were not set ({type(error).__name__})."
            )

    async def _store_inputs(self) -> None:
        """Store the inputs of all failed tasks, one after another: the run has ended, and the store may be slow."""
        labels: dict[str, str | int] = {VERSION_LABEL: self.manifest.version}
        for task in self.collector.take_tasks():
            kept = await self._store_task(task)
            _report_not_kept(task, kept)
            labels[f"{INPUTS_PREFIX}{task.task_run_id}"] = kept.label
        await this_run.set_labels(labels)

    async def _store_task(self, task: CapturedTask) -> KeptInputs:
        encoded = [each for each in task.inputs if each.format is not None]
        not_kept = {each.name: each.reason for each in task.inputs if each.reason is not None}
        if not encoded:
            return KeptInputs(None, None, not_kept)
        try:
            with (self.folder / BODY_FILE).open("xb") as file:
                file.writelines(each.data for each in encoded)
            digest = await self._store_document(self._describe_inputs(task, encoded))
        except Exception as error:  # the disk, the store and its transport raise many types
            return KeptInputs(None, None, {ALL_INPUTS: "store" if isinstance(error, SatflowError) else "error"})
        finally:
            self._remove_files()
        return KeptInputs(self.store, digest, not_kept)

    def _describe_inputs(self, task: CapturedTask, encoded: list[CapturedInput]) -> InputsHeader:
        from satflow_ext.results.failed_tasks import InputsHeader, StoredInput
        from satflow_ext.value_formats.formats import find_format

        found = [(each, find_format(str(each.format))) for each in encoded]
        return InputsHeader(
            **self._describe_body(any(kind is not None and kind.runs_code for _, kind in found)),
            task_run_id=task.task_run_id,
            task_key=task.key,
            deployment=self.manifest.full_name,
            deployment_version=self.manifest.version,
            inputs=tuple(StoredInput(name=each.name, format=str(each.format), size=len(each.data)) for each in encoded),
        )

    async def _store_with_reference(self, returned: Any) -> None:
        from satflow_ext.results import reference

        try:
            label = await self._try_to_store(returned)
        except _NotStored as problem:
            this_run.get_logger().warning(f"The result of this run was not stored: {problem}.")
            label = reference.NOT_STORED_PREFIX + problem.reason
        except _FlowFailed:
            await self._store_inputs()
            return
        if label is not None:
            await this_run.set_labels({reference.RESULT_LABEL: label, VERSION_LABEL: self.manifest.version})

    async def _try_to_store(self, returned: Any) -> str | None:
        """Store the value, and return the label; None if results are disabled.

        Raises:
            _FlowFailed: the run will fail because of what its flow returned.
            _NotStored: the value was not stored.
        """
        from satflow_ext.results import reference

        try:
            value = await asyncio.to_thread(_resolve_futures, returned)
        except Exception:  # a task or the returned state has failed; Prefect determines the state of the run
            raise _FlowFailed from None
        if self.settings.result_limit == 0:
            return None
        if value is None:
            return reference.NONE_TEXT
        try:
            digest = await self._store_value(value)
        except _NotStored:
            raise
        except SatflowError as problem:
            raise _NotStored("store", str(problem).rstrip(".")) from None
        except Exception as error:  # the disk, or a type of the user that fails when it is inspected
            raise _NotStored("error", f"an error occurred ({type(error).__name__})") from None
        finally:
            self._remove_files()
        return reference.ResultReference(self.store, digest).label

    async def _store_value(self, value: object) -> str:
        from satflow_ext.results.document import ResultHeader

        found = self._encode_value(value)
        self._refuse_secrets()
        header = ResultHeader(**self._describe_body(found.runs_code), format=found.name)
        return await self._store_document(header)

    def _encode_value(self, value: object) -> ValueFormat:
        from satflow_ext.value_formats.formats import BoundedFile, write_value
        from satflow_ext.value_formats.plain_json import ValueTooLarge

        limit = self.settings.result_limit
        with (self.folder / BODY_FILE).open("x+b") as file:
            try:
                return write_value(value, BoundedFile(file, limit))
            except ValueTooLarge:
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

    def _describe_body(self, runs_code: bool) -> dict[str, Any]:
        """Return the fields that the headers of all documents have."""
        from satflow_ext.versions import envelope
        from satflow_ext.versions.packing_environment import current_environment

        body = self.folder / BODY_FILE
        return {
            "run_id": os.environ[this_run.RUN_ID],
            "sha256": envelope.digest_of(body),
            "size": body.stat().st_size,
            "made": current_environment() if runs_code else None,
            "created": datetime.now(timezone.utc),
            "random": secrets.token_hex(16),
        }

    async def _store_document(self, header: DocumentHeader) -> str:
        """Write a document with the encoded values in the body file, send it to the store, and return its digest."""
        from satflow_ext.results.document import write_document
        from satflow_ext.versions.store_client import StoreClient

        store = endpoints.find_store(self.store, self.settings, endpoints.read_record(self.settings))
        document = self.folder / DOCUMENT_FILE
        digest = write_document(header, self._find_signer(), self.folder / BODY_FILE, document)
        async with StoreClient(store) as client:
            await client.put_file(digest, document)
        return digest

    def _remove_files(self) -> None:
        for name in (BODY_FILE, DOCUMENT_FILE):
            (self.folder / name).unlink(missing_ok=True)

    def _find_signer(self) -> Signer | None:
        """Return the signer of the user who executes this run. A run creates no key."""
        from satflow_ext.keys import Keyring

        try:
            return Keyring(self.settings).find_signer()
        except KeysRefused as error:
            this_run.get_logger().warning(f"The result of this run is not signed: {error}")
            return None


def _report_not_kept(task: CapturedTask, kept: KeptInputs) -> None:
    """Log the inputs that were not kept, with the reasons. Names of inputs are not secret: Prefect records them as well."""
    if not kept.not_kept:
        return
    listed = [
        f"{'all of them' if name == ALL_INPUTS else name} ({kept.describe_reason(name)})" for name in kept.not_kept
    ]
    this_run.get_logger().warning(f"Inputs of the failed task {task.name} that were not kept: {', '.join(listed)}.")


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
