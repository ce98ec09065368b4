"""The preview of a result has a limited size, shows each format, and never unpickles."""

from __future__ import annotations

import base64
import io

import matplotlib.figure
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from satflow_ext.errors import ContentRefused
from satflow_ext.results import download
from satflow_ext.results.document import ResultHeader, VerifiedResult
from satflow_ext.value_formats import formats
from satflow_ext.value_formats.formats import BoundedFile
from tests.registration.sealed import HERE, NOW, signer

KEY = signer()


def stored(value: object, *, body: bytes | None = None, name: str | None = None) -> VerifiedResult:
    """Return a verified result with this value, or with this format and body."""
    with io.BytesIO() as file:
        written = formats.write_value(value, BoundedFile(file, 50_000_000)).name
        body = file.getvalue() if body is None else body
    header = ResultHeader(
        run_id="1",
        format=name or written,
        sha256=f"sha256:{'0' * 64}",
        size=len(body),
        made=HERE,
        created=NOW,
        random="1",
    )
    return VerifiedResult(header, KEY.public_key, body)


def draw(value: object):
    return download.preview_result(stored(value))


class Explodes:
    """Unpickling it raises."""

    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


def test_a_pickle_is_not_read():
    assert draw(Explodes()).kind == "object"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"tiles": [1, 2], "size": (3, 4)}, "{'tiles': [1, 2], 'size': (3, 4)}"),
        ("two\nlines", "two\nlines"),
        ([], "[]"),
        ([{}], "[{}]"),
        (np.float64(0.5), "0.5"),
        (np.arange(3), "array of shape (3,), int64\n\n[0 1 2]"),
    ],
)
def test_plain_values_and_arrays_are_text(value, text):
    found = draw(value)
    assert (found.kind, found.text) == ("text", text)


FRAME = pd.DataFrame({"mean": [0.5, None], "count": [1, 2]}, index=pd.Index(["red", "nir"], name="band"))
SERIES = pd.Series([1.5, 2.5], index=["a", "b"])
COLUMNS, ROWS = ("a", "b"), (("1", "x"), ("2", ""))


@pytest.mark.parametrize(
    ("value", "columns", "rows"),
    [
        (pa.table({"a": [1, 2], "b": ["x", None]}), COLUMNS, ROWS),
        (pa.table([[1], [2]], names=["a", "a"]), ("a", "a"), (("1", "2"),)),
        ([{"a": 1, "b": "x"}, {"a": 2}], COLUMNS, ROWS),
        (FRAME, ("band", "mean", "count"), (("red", "0.5", "1"), ("nir", "", "2"))),
        (SERIES, ("", "value"), (("a", "1.5"), ("b", "2.5"))),
        (pd.DataFrame({"a": [1]}), ("a",), (("1",),)),
        (pd.DataFrame(), (), ()),
    ],
)
def test_frames_and_lists_of_records_are_tables(value, columns, rows):
    found = draw(value)
    assert found.kind == "table"
    assert (found.table.columns, found.table.rows) == (columns, rows)
    assert (found.table.row_count, found.table.column_count) == (len(rows), len(columns))


def test_images_and_figures_are_images():
    figure = matplotlib.figure.Figure()
    figure.subplots().plot([1, 2])
    for value in (Image.new("RGB", (2, 2)), figure):
        found = draw(value)
        assert found.kind == "image"
        assert base64.b64decode(found.image).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x" * 2_000_000, "large"),
        ("x" * 500_000, "text"),
        (np.zeros(2_000_000), "text"),
        (pd.DataFrame(np.zeros((50_000, 100)), columns=[f"column {n}" * 90 for n in range(100)]), "table"),
        ([{"a": "x" * 1000} for _ in range(1000)], "table"),
    ],
)
def test_a_preview_of_a_large_result_is_small(value, kind):
    found = draw(value)
    assert found.kind == kind
    assert len(found.model_dump_json()) < 150_000
    assert found.size == len(stored(value).body)


@pytest.mark.parametrize("name", ["json", "numpy", "pandas", "arrow", "png"])
def test_another_content_than_that_of_the_format_is_refused(name):
    with pytest.raises(ContentRefused, match=r"not (a )?valid"):
        download.preview_result(stored(None, body=b"<html>", name=name))
