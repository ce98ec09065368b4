"""Pickling of objects that are sent to Dask workers."""

from __future__ import annotations

import io
from typing import Any

import cloudpickle
from prefect.utilities.annotations import BaseAnnotation

from satflow_ext import main_module
from satflow_ext.setup_cells import SetupCellRunner


def pickle_for_worker(given: object) -> bytes:
    """Pickle an object as `cloudpickle.dumps` does, but preserve Prefect's annotations.

    An annotation is a tuple of one element, but its constructor takes the element itself: plain pickle would wrap the
    value twice.
    """
    with io.BytesIO() as file:
        _Pickler(file).dump(_SentValue(given))
        return file.getvalue()


def restore_value(setup: None, value: object, main: list[object]) -> object:
    """Return a value that was sent, after publishing the notebook's functions and classes in this process's `__main__`.

    Args:
        setup: unpickled first, which runs the setup cells.
        value: the value that was sent.
        main: functions and classes of the notebook's `__main__`.
    """
    if main:
        main_module.publish_definitions(main)
    return value


class _SentValue:
    def __init__(self, value: object) -> None:
        self.value = value


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is not typed
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._main: list[object] = []

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is _SentValue:
            # The order matters: pickling the value fills the list that follows it.
            return restore_value, (SetupCellRunner(), obj.value, self._main)
        if main_module.is_defined_in_main(obj):
            self._main.append(obj)
        if isinstance(obj, BaseAnnotation):
            return type(obj), (obj.unwrap(),)
        return super().reducer_override(obj)
