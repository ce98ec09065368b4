"""Pickles what travels to Dask workers."""

from __future__ import annotations

import io
from typing import Any

import cloudpickle
from prefect.utilities.annotations import BaseAnnotation


def dumps(given: object) -> bytes:
    """As `cloudpickle.dumps`, with Prefect's annotations whole.

    Those are tuples of one, which their constructor takes without the tuple: plain pickle wraps what they hold once more.
    """
    with io.BytesIO() as file:
        _Pickler(file).dump(given)
        return file.getvalue()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is not typed
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, BaseAnnotation):
            return type(obj), (obj.unwrap(),)
        return super().reducer_override(obj)
