"""The formats of values: for each value the first format that restores it exactly, and a pickle only if no other one does.

All formats but the pickle contain data and no code, so they may be read from any source. Libraries are used if the process has
imported them: a value of their types cannot exist otherwise.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from satflow_ext.errors import ExtraMissing
from satflow_ext.value_formats import plain_json
from satflow_ext.value_formats.plain_json import ValueTooLarge

if TYPE_CHECKING:
    from typing_extensions import Buffer

PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
"""The modes of Pillow's images that PNG stores without conversion."""
SERIES_NAME = b"satflow.series"
"""Metadata of an Arrow table that contains one series: its name, in JSON."""
INDEX_FREQUENCY = b"satflow.index-frequency"
"""Metadata of an Arrow table whose rows have equidistant times: pandas' text for the distance, which Arrow does not keep."""
TEXT_LIKE = frozenset({"string", "boolean", "bytes", "date", "empty"})
"""The inferred types of pandas columns with Python objects that Arrow restores as the same objects."""


class Unsuitable(Exception):
    """The format cannot restore this value exactly."""


class BoundedFile(io.BufferedIOBase):
    """A writable file that refuses to grow beyond a limit.

    Args:
        file: the file, which is not closed with this one.
        limit: its maximum size in bytes.
    """

    def __init__(self, file: io.BufferedRandom | io.BytesIO, limit: int) -> None:
        self._file = file
        self.limit = limit

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Append the data.

        Raises:
            ValueTooLarge: the file would exceed the limit.
        """
        view = memoryview(data)
        if self._file.tell() + view.nbytes > self.limit:
            raise ValueTooLarge
        return self._file.write(view)

    def clear(self) -> None:
        """Remove what was written."""
        self._file.seek(0)
        self._file.truncate()


@dataclass(frozen=True)
class ValueFormat:
    """One format.

    Args:
        name: its name in documents.
        accepts: whether values of this kind may be in the format; must be quick, and import nothing.
        write: writes the value, or raises `Unsuitable`.
        read: returns the value.
        runs_code: reading runs code that the document contains.
        is_exact: the value that is read equals the one that was written; false for an image of a figure.
    """

    name: str
    accepts: Callable[[object], bool]
    write: Callable[[Any, BoundedFile], None]
    read: Callable[[bytes], object]
    runs_code: bool = False
    is_exact: bool = True


def write_value(value: object, file: BoundedFile, *, exact: bool = False) -> ValueFormat:
    """Write a value in the first suitable format, and return that.

    Args:
        value: the value.
        file: an empty file.
        exact: skip formats from which a different value would be read.

    Raises:
        ValueTooLarge: it is larger than the file's limit.
        Exception: no format is suitable: the exception of pickling it.
    """
    for each in FORMATS:
        if not each.accepts(value) or (exact and not each.is_exact):
            continue
        try:
            each.write(value, file)
        except Unsuitable:
            file.clear()
        else:
            return each
    raise AssertionError("unreachable")  # the pickle accepts every value


def find_format(name: str) -> ValueFormat | None:
    """Return the format of that name."""
    return next((each for each in FORMATS if each.name == name), None)


def _has_type(value: object, module: str, name: str) -> bool:
    """Return whether a value is exactly of a type of a library. The library is not imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and type(value) is kind


def _raise_missing(library: str, error: ImportError) -> NoReturn:
    raise ExtraMissing(
        f"The value needs {library} to be read, which cannot be imported here: {error}.",
        fix=f"Install {library} here.",
    ) from None


# --- plain values -----------------------------------------------------------------------------------------------------


def _write_plain(value: object, file: BoundedFile) -> None:
    try:
        encoded = plain_json.encode_plain(value, file.limit)
    except plain_json.NotPlain:
        raise Unsuitable from None
    file.write(encoded)


# --- NumPy ------------------------------------------------------------------------------------------------------------


def _is_numpy_scalar(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def _write_numpy(value: Any, file: BoundedFile) -> None:
    import numpy

    if value.dtype.hasobject or value.dtype.metadata:
        raise Unsuitable
    numpy.save(file, value, allow_pickle=False)


def _read_numpy(document: bytes) -> Any:
    try:
        import numpy
    except ImportError as error:
        _raise_missing("NumPy", error)
    return numpy.load(io.BytesIO(document), allow_pickle=False)


# --- tables -----------------------------------------------------------------------------------------------------------


def _is_pandas(value: object) -> bool:
    return _has_type(value, "pandas", "DataFrame") or _has_type(value, "pandas", "Series")


def _import_arrow() -> Any:
    """Import pyarrow. Before version 14.0.1, reading a file could run code that it contains.

    Raises:
        ImportError: it is not installed, or is too old.
    """
    import pyarrow
    import pyarrow.ipc

    if int(pyarrow.__version__.partition(".")[0]) < 15:
        raise ImportError(f"pyarrow {pyarrow.__version__} is older than 15")
    return pyarrow


def _write_arrow_table(table: Any, file: BoundedFile) -> None:
    arrow = _import_arrow()
    with arrow.ipc.new_stream(file, table.schema) as writer:  # without compression, so that secrets are found
        writer.write_table(table)


def _read_arrow_table(document: bytes) -> Any:
    try:
        arrow = _import_arrow()
    except ImportError as error:
        _raise_missing("pyarrow", error)
    table = arrow.ipc.open_stream(document).read_all()
    table.validate(full=True)  # offsets and lengths from an unsigned document could point anywhere
    return table


def _write_pandas(value: Any, file: BoundedFile) -> None:
    """Write a frame or series as an Arrow table, if the same frame is read from it.

    Large frames are refused before they are copied. Arrow needs at least an eighth of the frame's size: a bit for a truth value.
    """
    size = value.memory_usage(index=True)
    if (size.sum() if value.ndim == 2 else size) > 8 * file.limit:
        raise ValueTooLarge
    try:
        arrow = _import_arrow()
        table = _to_arrow_table(value, arrow)
        if table.nbytes > file.limit:
            raise ValueTooLarge
        _check_restored(value, _to_pandas(table))
    except (ImportError, AssertionError, TypeError, ValueError, NotImplementedError, KeyError):
        raise Unsuitable from None  # exceptions of pyarrow are subclasses of TypeError and ValueError
    _write_arrow_table(table, file)


def _to_arrow_table(value: Any, arrow: Any) -> Any:
    if value.attrs or not (value.ndim == 2 or isinstance(value.name, str | None)):
        raise Unsuitable
    table = arrow.Table.from_pandas(value if value.ndim == 2 else value.to_frame("value"))
    metadata = {} if value.ndim == 2 else {SERIES_NAME: json.dumps(value.name).encode()}
    frequency = getattr(value.index, "freqstr", None)
    if frequency and value.index.dtype.kind in "mM":  # a period index has it in its type
        metadata[INDEX_FREQUENCY] = frequency.encode()
    return table.replace_schema_metadata({**table.schema.metadata, **metadata})


def _to_pandas(table: Any) -> Any:
    frame, metadata = table.to_pandas(), table.schema.metadata or {}
    if INDEX_FREQUENCY in metadata:
        frame.index.freq = metadata[INDEX_FREQUENCY].decode()
    return frame["value"].rename(json.loads(metadata[SERIES_NAME])) if SERIES_NAME in metadata else frame


def _check_restored(value: Any, restored: Any) -> None:
    """Compare a frame or series with the one that will be read.

    Raises:
        AssertionError: they differ.
        Unsuitable: they may differ in the types of Python objects.
    """
    import pandas

    frame = value if value.ndim == 2 else value.to_frame()
    columns = [frame.iloc[:, at] for at in range(frame.shape[1])]
    index = getattr(frame.index, "levels", [frame.index])
    objects = [each for each in (*columns, *index) if each.dtype == object]
    if any(pandas.api.types.infer_dtype(each, skipna=True) not in TEXT_LIKE for each in objects):
        raise Unsuitable
    compare = pandas.testing.assert_frame_equal if value.ndim == 2 else pandas.testing.assert_series_equal
    compare(value, restored, check_exact=True)


def _read_pandas(document: bytes) -> Any:
    table = _read_arrow_table(document)
    try:
        import pandas  # noqa: F401
    except ImportError as error:
        _raise_missing("pandas", error)
    return _to_pandas(table)


def _write_polars(value: Any, file: BoundedFile) -> None:
    if value.estimated_size() > file.limit:
        raise ValueTooLarge
    document = io.BytesIO()
    try:
        value.write_ipc(document, compression="uncompressed")
    except Exception:  # a column of Python objects; polars has several types of exceptions for it
        raise Unsuitable from None
    file.write(document.getbuffer())


def _read_polars(document: bytes) -> Any:
    try:
        import polars
    except ImportError as error:
        _raise_missing("polars", error)
    return polars.read_ipc(io.BytesIO(document))


# --- images -----------------------------------------------------------------------------------------------------------


def _is_image(value: object) -> bool:
    image = getattr(sys.modules.get("PIL.Image"), "Image", None)
    return image is not None and isinstance(value, image)


def _write_image(value: Any, file: BoundedFile) -> None:
    if value.mode not in PNG_MODES or getattr(value, "n_frames", 1) != 1:
        raise Unsuitable
    value.save(file, format="PNG")


def _write_figure(value: Any, file: BoundedFile) -> None:
    value.savefig(file, format="png", bbox_inches="tight")


def _read_image(document: bytes) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        _raise_missing("Pillow", error)
    image = Image.open(io.BytesIO(document), formats=["PNG"])
    image.load()
    return image


# --- everything else --------------------------------------------------------------------------------------------------


def _write_pickle(value: object, file: BoundedFile) -> None:
    import cloudpickle

    cloudpickle.dump(value, file)


def _read_pickle(document: bytes) -> object:
    import cloudpickle

    return cloudpickle.loads(document)


FORMATS = (
    ValueFormat("json", lambda value: True, _write_plain, plain_json.decode_plain),
    ValueFormat("numpy-scalar", _is_numpy_scalar, _write_numpy, lambda document: _read_numpy(document)[()]),
    ValueFormat("numpy", lambda value: _has_type(value, "numpy", "ndarray"), _write_numpy, _read_numpy),
    ValueFormat("pandas", _is_pandas, _write_pandas, _read_pandas),
    ValueFormat("arrow", lambda value: _has_type(value, "pyarrow", "Table"), _write_arrow_table, _read_arrow_table),
    ValueFormat("polars", lambda value: _has_type(value, "polars", "DataFrame"), _write_polars, _read_polars),
    ValueFormat("png", _is_image, _write_image, _read_image),
    ValueFormat(
        "figure",
        lambda value: _has_type(value, "matplotlib.figure", "Figure"),
        _write_figure,
        _read_image,
        is_exact=False,
    ),
    ValueFormat("pickle", lambda value: True, _write_pickle, _read_pickle, runs_code=True),
)
"""All formats, in the order in which they are tried."""
