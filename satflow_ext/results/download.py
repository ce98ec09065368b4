"""The result of a run in the process of its reader: its download from the store, its verification, and its preview.

The preview for the browser, a text, table or image of limited size, is made in the Jupyter server. Only formats that contain data
are read for it; a pickle is never unpickled here.
"""

from __future__ import annotations

import base64
import pprint
from collections.abc import Iterable, Sequence
from typing import Any

from satflow_ext import endpoints as addresses
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import ContentMissing, ContentRefused, ResultMissing
from satflow_ext.keys import read_trusted_keys
from satflow_ext.models import ResultPreview, ResultTable
from satflow_ext.prefect_api import prefect_client
from satflow_ext.results import document
from satflow_ext.results.document import RESULT, VerifiedResult, read_value
from satflow_ext.results.reference import ResultReference, parse_label
from satflow_ext.runs.run_lookup import find_run
from satflow_ext.settings import LOCAL, Settings
from satflow_ext.value_formats import formats
from satflow_ext.versions.store_client import StoreClient

JSON_LIMIT = 1024 * 1024
"""Maximum bytes of JSON that is decoded for a preview."""
IMAGE_LIMIT = 16 * 1024 * 1024
"""Maximum bytes of an image in a preview."""
TEXT_LIMIT = 100_000
"""Maximum number of characters of a text."""
ROWS, COLUMNS, CELL_LIMIT = 200, 50, 200
"""Maximum numbers of rows, columns, and characters of a cell."""
ARRAY_VALUES = 1000
"""Maximum number of values of an array; of larger ones the corners are shown."""
PNG = b"\x89PNG\r\n\x1a\n"


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


def preview_result(result: VerifiedResult | None) -> ResultPreview:
    """Return the preview of a result; None is the result of a flow that returned None.

    Raises:
        ContentRefused: the value is not in the format that the document states.
        ExtraMissing: a library that reads the format is not installed here.
    """
    if result is None:
        return ResultPreview(kind="none", format=None, size=0, text=None, table=None, image=None)
    name = result.header.format
    size = len(result.body)
    kind, content = _draw(result, name)
    return ResultPreview(kind=kind, format=name, size=size, **{"text": None, "table": None, "image": None, **content})


def _draw(result: VerifiedResult, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the kind of a preview, and its field."""
    found = formats.find_format(name)
    if found is None or found.runs_code:
        return "object", {}
    if name in ("png", "figure"):
        return _draw_image(result.body)
    if name in ("pandas", "arrow"):
        return "table", {"table": _convert_arrow(read_value(result, "arrow", result.body))}
    if name == "json" and len(result.body) > JSON_LIMIT:
        return "large", {}
    value: Any = read_value(result, name, result.body)
    if name == "polars":
        return "table", {"table": _make_table(value.columns, value.head(ROWS).rows(), value.height)}
    if name == "json":
        return _draw_plain(value)
    return "text", {"text": _format_array(value)}


def _draw_image(body: bytes) -> tuple[str, dict[str, Any]]:
    if not body.startswith(PNG):
        raise ContentRefused("The result is not a valid PNG image.", fix=RESULT.changed_fix)
    if len(body) > IMAGE_LIMIT:
        return "large", {}
    return "image", {"image": base64.b64encode(body).decode()}


def _draw_plain(value: Any) -> tuple[str, dict[str, Any]]:
    """Draw a list of dicts as a table, and other plain values as text."""
    if _is_record_list(value):
        columns = list(dict.fromkeys(key for row in value[:ROWS] for key in row))
        rows = ([row.get(column) for column in columns] for row in value[:ROWS])
        return "table", {"table": _make_table(columns, rows, len(value))}
    try:
        text = value if isinstance(value, str) else pprint.pformat(value, width=100, sort_dicts=False)
    except RecursionError:
        return "large", {}
    return "text", {"text": _shorten(text, TEXT_LIMIT)}


def _is_record_list(value: Any) -> bool:
    is_list = isinstance(value, list | tuple) and len(value) > 0
    return is_list and all(isinstance(row, dict) and row and all(isinstance(key, str) for key in row) for row in value)


def _format_array(value: Any) -> str:
    """Format an array or scalar of NumPy."""
    import numpy

    if not isinstance(value, numpy.ndarray):
        return _shorten(str(value), TEXT_LIMIT)
    values = numpy.array2string(value, threshold=ARRAY_VALUES, max_line_width=100)
    return f"array of shape {value.shape}, {value.dtype}\n\n{_shorten(values, TEXT_LIMIT)}"


def _convert_arrow(table: Any) -> ResultTable:
    """Convert a table of pyarrow, or one that contains a frame or series of pandas, whose index comes first."""
    names: list[str] = table.column_names
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])  # a dict instead of a name: a range
    order = sorted(range(len(names)), key=lambda position: names[position] not in index)
    shown = table.slice(0, ROWS)
    values = [shown.column(position).to_pylist() for position in order[:COLUMNS]]
    labels = ["" if names[position].startswith("__index_level_") else names[position] for position in order]
    return _make_table(labels, zip(*values, strict=True), table.num_rows)


def _make_table(columns: Sequence[str], rows: Iterable[Sequence[object]], row_count: int) -> ResultTable:
    return ResultTable(
        columns=tuple(_shorten(str(column), CELL_LIMIT) for column in columns[:COLUMNS]),
        rows=tuple(tuple(_format_cell(value) for value in row[:COLUMNS]) for row in rows),
        row_count=row_count,
        column_count=len(columns),
    )


def _format_cell(value: object) -> str:
    return "" if value is None else _shorten(str(value), CELL_LIMIT)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
