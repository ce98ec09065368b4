"""The local stack that the tests share."""

from __future__ import annotations

from dataclasses import dataclass

from satflow_ext.endpoints import Endpoints, StackRecord
from satflow_ext.settings import Settings


@dataclass(frozen=True)
class Stack:
    """A local stack that runs while the tests do."""

    settings: Settings
    record: StackRecord
    endpoints: Endpoints
