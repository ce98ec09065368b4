"""Each kind of value comes back exactly as it was, in the expected format."""

from __future__ import annotations

import datetime as dt
import io
import threading
import uuid
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from satflow_ext.value_formats import formats
from satflow_ext.value_formats.formats import BoundedFile, Unsuitable
from satflow_ext.value_formats.plain_json import ValueTooLarge

BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class Point:
    x: int


class Color(IntEnum):
    RED = 1


def with_attributes() -> pd.DataFrame:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["point"] = Point(1)
    return frame


PLAIN = {
    "numbers": [0, -(10**40), 1.5, -0.0, float("inf"), True, 3 + 4j],
    "text": "a\n\ud800 é \N{PILE OF POO}",
    "bytes": [b"\x00\xff", bytearray(b"a")],
    "nested": {"a": [{"b": (1, [2], {"c"})}], "": None},
    "keys": {1: "a", (2, 3): "b", None: "c", "d": frozenset({1})},
    "tag": {"$type": "tuple", "value": [1]},
    "dates": [dt.date(2026, 1, 2), dt.time(1, 2, 3, 4), dt.timedelta(-1, 5, 7)],
    "times": [
        dt.datetime(2026, 1, 2, 3, 4, 5, 6),
        dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc),
        dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(minutes=-90))),
    ],
    "zone": dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    "exact": [Decimal("1.10"), Decimal("NaN").copy_sign(Decimal(-1)), uuid.UUID(int=5), Path("a/b")],
}
FRAMES = {
    "empty": pd.DataFrame(),
    "columns": pd.DataFrame({"i": [1, 2], "f": [0.5, None], "s": ["a", None], "t": pd.to_datetime(["2026-01-02"] * 2)}),
    "zones": pd.DataFrame({"t": pd.date_range("2026-01-02", periods=2, tz="Europe/Berlin")}),
    "categories": pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=["b", "a"], ordered=True)}),
    "index": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key")),
    "levels": pd.DataFrame({"a": [1, 2], "k": ["x", "y"], "l": [1, 1]}).set_index(["k", "l"]),
    "numbered": pd.DataFrame([[1, 2], [3, 4]]),
    "equidistant": pd.DataFrame(
        {"a": [1, 2]}, index=pd.date_range("2026-01-31", periods=2, freq="ME", tz="Europe/Berlin")
    ),
    "distances": pd.DataFrame({"a": [1, 2]}, index=pd.timedelta_range(0, periods=2, freq="90min", name="since")),
    "periods": pd.DataFrame({"a": [1, 2]}, index=pd.period_range("2026-01", periods=2, freq="Q-NOV")),
    "objects": pd.DataFrame({"d": [dt.date(2026, 1, 2), None], "b": [b"x", b"y"]}, dtype=object),
}
SERIES = {
    "named": pd.Series([1, 2], name="a"),
    "unnamed": pd.Series(["x", None], index=[5, 6]),
    "weekly": pd.Series([1.0, 2.0], pd.date_range("2026-01-05", periods=2, freq="W-MON")),
}
ARRAYS = {
    "matrix": np.arange(6).reshape(2, 3),
    "fortran": np.asfortranarray(np.eye(3)),
    "records": np.array([(1, "a")], dtype=[("n", "i4"), ("s", "U3")]),
    "times": np.array(["2026-01-02"], dtype="M8[D]"),
    "scalar array": np.array(2.5),
}
SCALARS = {"float": np.float64(2.5), "time": np.datetime64("2026-01-02"), "text": np.str_("a")}
IMAGES = {mode: Image.new(mode, (3, 2), 1) for mode in ("1", "L", "RGB", "RGBA", "I;16")}
OTHER = {
    "class": Point(1),
    "enumeration": Color.RED,
    "objects in an array": np.array([{1}], dtype=object),
    "objects in a frame": pd.DataFrame({"o": [[1], [2]]}),
    "mixed columns": pd.DataFrame({"o": ["a", 1]}),
    "attributes": with_attributes(),
    "image with floats": Image.new("F", (2, 2)),
    "function": len,
    "two halves of a character": "\ud83d\ude00",
    "and in a key": {"\ud83d\ude00": 1},
}


def write(value: object, limit: int = 10**7) -> tuple[str, bytes]:
    with io.BytesIO() as file:
        found = formats.write_value(value, BoundedFile(file, limit))
        return found.name, file.getvalue()


def read(name: str, document: bytes) -> object:
    found = formats.find_format(name)
    assert found is not None
    return found.read(document)


def same(value: object, other: object) -> bool:
    """Whether both have the same type and the same content, also of NaN and -0.0."""
    if isinstance(value, Image.Image):
        assert isinstance(other, Image.Image)
        assert (value.mode, value.size, value.tobytes()) == (other.mode, other.size, other.tobytes())
        return True
    assert type(value) is type(other)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(value, other)
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(value, other)
    elif isinstance(value, np.ndarray | np.generic):
        np.testing.assert_array_equal(value, other, strict=True)
    else:
        assert value == other or repr(value) == repr(other)
        assert repr(value) == repr(other) or isinstance(value, pa.Table)
    return True


CASES = [
    pytest.param(name, value, id=f"{name}, {case}")
    for name, values in {
        "json": PLAIN,
        "pandas": {**FRAMES, **SERIES},
        "numpy": ARRAYS,
        "numpy-scalar": SCALARS,
        "png": IMAGES,
        "arrow": {"table": pa.table({"a": [1, None], "b": [["x"], []]})},
        "pickle": OTHER,
    }.items()
    for case, value in values.items()
]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_value_comes_back(name, value):
    found, document = write(value)
    assert found == name
    assert same(value, read(found, document))


def test_a_polars_frame_comes_back():
    polars = pytest.importorskip("polars")  # pandas is the library of the test environment
    frame = polars.DataFrame({"a": [1, None], "b": ["x", "y"]})
    found, document = write(frame)
    assert found == "polars"
    assert frame.equals(read(found, document))


def test_a_figure_becomes_an_image():
    figures = pytest.importorskip("matplotlib.figure")
    found, document = write(figures.Figure())
    assert found == "figure"
    assert read(found, document).format == "PNG"


def test_a_zone_keeps_its_name():
    moment = read(*write(PLAIN["zone"]))
    assert (moment.tzinfo, moment.fold) == (BERLIN, 1)


LARGE = {
    "text": "a" * 1000,
    "list": [0] * 1000,
    "bytes": (b"a" * 1000,),
    "array": np.zeros(200),
    "frame": pd.DataFrame({"a": range(200)}),
    "larger frame": pd.DataFrame({"a": range(5000)}),
    "series of texts": pd.Series(["a" * 1000]),
    "object": Point("a" * 1000),
}


@pytest.mark.parametrize("case", LARGE)
def test_nothing_grows_beyond_the_limit(case):
    with pytest.raises(ValueTooLarge):
        write(LARGE[case], limit=500)


def test_what_cannot_be_pickled_raises_the_reason():
    with pytest.raises(TypeError, match="lock"):
        write({"lock": threading.Lock()})


def test_a_list_that_contains_itself_is_pickled():
    endless: list[object] = []
    endless.append(endless)
    found, document = write(endless)
    assert found == "pickle"
    assert (loop := read(found, document))[0] is loop


@pytest.mark.parametrize("each", [each for each in formats.FORMATS if not each.runs_code], ids=lambda each: each.name)
def test_no_other_format_reads_a_pickle(each):
    _, document = write(Point(1))
    with pytest.raises(Exception, match=r".") as raised:
        each.read(document)
    assert not isinstance(raised.value, AssertionError | Unsuitable)
