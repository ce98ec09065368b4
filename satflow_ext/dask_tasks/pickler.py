"""Pickles what travels to Dask workers."""

from __future__ import annotations

import io
from typing import Any

import cloudpickle
from prefect.utilities.annotations import BaseAnnotation

from satflow_ext import main_module
from satflow_ext.setup_cells import RunSetupCells


def dumps(given: object) -> bytes:
    """As `cloudpickle.dumps`, with Prefect's annotations whole.

    Those are tuples of one, which their constructor takes without the tuple: plain pickle wraps what they hold once more.
    """
    with io.BytesIO() as file:
        _Pickler(file).dump(_Sent(given))
        return file.getvalue()


def received(setup: None, value: object, main: list[object]) -> object:
    """Return what was sent, after the notebook's functions and classes in it are found in this process's `__main__`.

    Args:
        setup: read first: the setup cells have run.
        value: what was sent.
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
            # In this order: the list is filled when what comes before it has been pickled.
            return received, (RunSetupCells(), obj.value, self._main)
        if main_module.defines(obj):
            self._main.append(obj)
        if isinstance(obj, BaseAnnotation):
            return type(obj), (obj.unwrap(),)
        return super().reducer_override(obj)
