"""Packing of a flow content: the pickle of a flow with its captured objects."""

from __future__ import annotations

from typing import IO

from satflow_ext.errors import SatflowError
from satflow_ext.kernel import refusals
from satflow_ext.kernel.carried import FlowWithModules
from satflow_ext.kernel.flow_discovery import FoundFlow
from satflow_ext.kernel.pickler import TooLarge, pickle_object
from satflow_ext.kernel.reachable_objects import walk_flow


def write_pickle(found: FoundFlow, carrier: FlowWithModules, file: IO[bytes], limit: int) -> int:
    """Pickle a flow into a file, and return the size in bytes.

    Args:
        found: the flow, for the error message if it cannot be packed.
        carrier: the flow with its local modules.
        file: where to write.
        limit: the largest pickle, in bytes.

    Raises:
        ContentTooLarge: the pickle is larger than `limit`.
        CannotPickle: an object that the flow reaches cannot be packed.
        OSError: the file cannot be written, or an object that the flow reaches raised it.
    """
    try:
        return pickle_object(carrier, file, limit)
    except TooLarge:
        raise refusals.size_error(walk_flow(found), limit) from None
    except (SatflowError, OSError):
        raise
    except Exception as error:  # the pickled objects' own code, which may raise anything
        raise refusals.pickle_error(walk_flow(found), error) from None
