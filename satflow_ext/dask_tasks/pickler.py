"""Pickling of objects that are sent to Dask workers."""

from __future__ import annotations

import io
from typing import Any

import cloudpickle
from prefect.utilities.annotations import BaseAnnotation

from satflow_ext import main_module
from satflow_ext.setup_cells import RunSetupCells


def dumps(given: object) -> bytes:
    """Pickle an object as `cloudpickle.dumps` does, but preserve Prefect's annotations.

    An annotation is a tuple of one element, but its constructor takes the element itself: plain pickle would wrap the
    value twice.
    """
    with io.BytesIO() as file:
        _Pickler(file).dump(_Sent(given))
        return file.getvalue()


def received(setup: None, value: object, main: list[object]) -> object:
    """Return a value that was sent, after publishing the notebook's functions and classes in this process's `__main__`.

    Args:
        setup: unpickled first, which runs the setup cells.
        value: the value that was sent.
        main: functions and classes of the notebook's `__main__`.
    """
    if main:
        main_module.publish(main)
    return value


class _Sent:
    def __init__(self, value: object) -> None:
        self.value = value


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle is not typed
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._main: list[object] = []

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is _Sent:
            # The order matters: pickling the value fills the list that follows it.
            return received, (RunSetupCells(), obj.value, self._main)
        if main_module.defines(obj):
            self._main.append(obj)
        if isinstance(obj, BaseAnnotation):
            return type(obj), (obj.unwrap(),)
        return super().reducer_override(obj)
