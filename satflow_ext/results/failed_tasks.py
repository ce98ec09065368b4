"""The inputs of failed tasks in the store: their document, and its download. Only a kernel or script reads the values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentRefused, SatflowError
from satflow_ext.keys import read_trusted_keys
from satflow_ext.prefect_api import prefect_client
from satflow_ext.prefect_rows import TaskRunRow
from satflow_ext.results import document, download
from satflow_ext.results.document import DocumentHeader, DocumentKind, OpenedDocument
from satflow_ext.results.reference import ResultReference
from satflow_ext.runs.input_labels import KeptInputs, read_kept_inputs
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.settings import Settings

INPUTS = DocumentKind(
    b"satflow task inputs 1\n",
    "The input",
    "It was changed after the run: check who can write to the store and to the Prefect API.",
)


class StoredInput(BaseModel):
    """An input in a document: its name, its format, and the number of its bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    format: str
    size: Annotated[int, Field(ge=0)]


class InputsHeader(DocumentHeader):
    """The header of the inputs of a failed task run.

    Args:
        task_run_id: the task run.
        task_key: Prefect's key of the task, by which the task is found in its flow.
        deployment: `flow/deployment` of the flow run, and its `deployment_version`.
        inputs: the inputs, in the order of the encoded values.
    """

    kind = INPUTS

    task_run_id: str
    task_key: str
    deployment: str
    deployment_version: int
    inputs: tuple[StoredInput, ...]


class VerifiedInputs(OpenedDocument[InputsHeader]):
    """The inputs of a failed task run, which have not been read yet."""

    def read_inputs(self) -> Iterator[tuple[str, object]]:
        """Yield each input with its value, or the exception with which reading it failed.

        Pickles are unpickled: call this in the user's own process only.
        """
        position = 0
        for each in self.header.inputs:
            data = self.body[position : position + each.size]
            position += each.size
            try:
                yield each.name, document.read_value(self, each.format, data)
            except Exception as error:  # unpickling runs code of the user's types
                yield each.name, UnreadableInput(_describe_error(error))


@dataclass(frozen=True)
class UnreadableInput:
    """An input that cannot be read here, and the reason as a sentence."""

    reason: str


def _describe_error(error: Exception) -> str:
    if isinstance(error, SatflowError):
        return error.message
    return f"It cannot be unpickled here: {type(error).__name__}: {error}."


def verify_inputs(content: bytes, run_id: str, task_run_id: str, settings: Settings) -> VerifiedInputs:
    """Verify that a document, whose digest was checked, contains the inputs of a task run.

    Raises:
        ContentRefused: it is another document, or that of another run or task run.
        SignatureWrong: it differs from the document that was signed.
        KeysRefused: the files of the trusted keys are invalid.
    """
    opened = document.open_document(InputsHeader, content, run_id, read_trusted_keys(settings))
    header = opened.header
    if header.task_run_id != task_run_id:
        raise ContentRefused(
            f"The input is that of task run {header.task_run_id}, not of {task_run_id}.", fix=INPUTS.changed_fix
        )
    if sum(each.size for each in header.inputs) != header.size:
        raise ContentRefused("The inputs do not have the sizes in their header.", fix=INPUTS.changed_fix)
    return VerifiedInputs(header, opened.key, opened.body)


MAX_READ = 200
"""Maximum number of task runs that Prefect returns together. A run labels fewer."""


@dataclass(frozen=True)
class FailedTaskRun:
    """A failed task run whose inputs were captured. `name` is None if Prefect has not recorded it."""

    id: str
    name: str | None
    task: str | None
    kept: KeptInputs


async def read_failed_tasks(endpoints: Endpoints, run_id: str) -> tuple[FailedTaskRun, ...]:
    """Read from Prefect which inputs of failed tasks a run has kept.

    Raises:
        RunNotFound: Prefect has no flow run with that id.
        PrefectFailed: the API did not answer.
    """
    async with prefect_client(endpoints.prefect) as client:
        labels = (await find_run(client, run_id)).labels
        kept = read_kept_inputs(labels)
        ids = [*kept][:MAX_READ]
        rows = await client.read_task_runs({"id": {"any_": [*ids]}}, limit=len(ids)) if ids else []
    return tuple(_describe_tasks(kept, rows))


def _describe_tasks(kept: dict[str, KeptInputs], rows: Iterable[TaskRunRow]) -> Iterator[FailedTaskRun]:
    known = {str(row.id): row for row in rows}
    for task_run_id, inputs in kept.items():
        row = known.get(task_run_id)
        task = row.task_key.rpartition("-")[0] or None if row else None
        yield FailedTaskRun(task_run_id, row.name if row else None, task, inputs)


async def download_inputs(
    endpoints: Endpoints, settings: Settings, run_id: str, task: FailedTaskRun
) -> VerifiedInputs | None:
    """Download and verify the inputs of a failed task run; None if there is no document.

    Raises:
        ResultMissing: the store no longer has them.
        SignatureWrong: they were changed after the run.
        ContentRefused: the document contains something else.
        SettingsWrong: the settings do not contain the store.
        StoreFailed: the request to the store failed.
    """
    if task.kept.store is None or task.kept.digest is None:
        return None
    reference = ResultReference(task.kept.store, task.kept.digest)
    content = await download.download_document(
        reference, endpoints, settings, f"the inputs of task run {task.name or task.id}", settings.inputs_limit
    )
    return verify_inputs(content, run_id, task.id, settings)
