"""Packing of a flow content: the pickle of a flow with its captured objects."""

from __future__ import annotations

from typing import IO

from satflow_ext.errors import SatflowError
from satflow_ext.kernel import refusals
from satflow_ext.kernel.carried import Carrier
from satflow_ext.kernel.flow_discovery import Found
from satflow_ext.kernel.pickler import TooLarge, dump
from satflow_ext.kernel.reachable_objects import walk


def write(found: Found, carrier: Carrier, file: IO[bytes], limit: int) -> int:
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
        return dump(carrier, file, limit)
    except TooLarge:
        raise refusals.too_large(walk(found), limit) from None
    except (SatflowError, OSError):
        raise
    except Exception as error:  # the pickled objects' own code, which may raise anything
        raise refusals.cannot_pickle(walk(found), error) from None
