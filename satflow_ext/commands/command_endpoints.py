"""The connection of commands to Prefect and the store. Starts the local stack if the settings require it."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager

from satflow_ext import session
from satflow_ext.session import OpenConnection
from satflow_ext.settings import Settings


def connect(settings: Settings) -> AbstractContextManager[OpenConnection]:
    """Connect, and print the steps of the start of the local stack; see `session.connect`."""
    return session.connect(settings, on_step=print_step)


def print_step(step: str) -> None:
    """Print a step of the start of the local stack to stderr."""
    print(f"… {step}", file=sys.stderr)
