"""The body of a flow content: the pickle of a flow with all that travels, or why there is none."""

from __future__ import annotations

from typing import IO

from satflow_ext.errors import SatflowError
from satflow_ext.kernel import refusals
from satflow_ext.kernel.carried import Carrier
from satflow_ext.kernel.flow_discovery import Found
from satflow_ext.kernel.pickler import TooLarge, dump
from satflow_ext.kernel.reachable_objects import walk


def write(found: Found, carrier: Carrier, file: IO[bytes], limit: int) -> int:
    """Write it, and give its size in bytes.

    Args:
        found: the flow, for what is said where it cannot travel.
        carrier: the same with its local modules.
        file: where to write.
        limit: the largest pickle, in bytes.

    Raises:
        ContentTooLarge: more than `limit` bytes.
        CannotPickle: something that it reaches cannot travel.
        OSError: the file does not take it, or something that the flow reaches raised it.
    """
    try:
        return dump(carrier, file, limit)
    except TooLarge:
        raise refusals.too_large(walk(found), limit) from None
    except (SatflowError, OSError):
        raise
    except Exception as error:  # the pickled objects' own code, which may raise anything
        raise refusals.cannot_pickle(walk(found), error) from None
