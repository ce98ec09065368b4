"""What is said over the local stack's socket: one JSON object a line, one request a connection.

A connection that asked for a lease *is* the lease: it lasts until it closes, however its holder ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from satflow_ext.endpoints import Service, StackRecord


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(_Message):
    """What a client wants: a lease on services, services besides without a lease, a report, or that everything ends.

    `stay` makes the stack go on after its last lease, until somebody asks it to stop.
    """

    verb: Literal["lease", "start", "report", "stop"]
    needs: tuple[Service, ...] = ()
    stay: bool = False


class ServiceReport(_Message):
    """One process of the stack. `url` has no credential; `restarts` counts the times it died and was started again.

    `last_end` describes how it died the last time.
    """

    name: str
    state: Literal["starting", "ready", "failed"]
    pid: int | None
    url: str | None
    log: str
    restarts: int
    last_end: str | None = None


class StackReport(_Message):
    """What the supervisor says of itself to `satflow status`.

    `stores` are the stores that flow runs of this stack can read from beside the built-in one, each with its mark
    (`endpoints.store_mark`), which shows neither address nor credential.
    """

    pid: int
    started: datetime
    state: Literal["starting", "ready", "failed"]
    step: str | None
    stays: bool
    leases: int
    services: tuple[ServiceReport, ...]
    stores: dict[str, str] = {}


class Answer(_Message):
    """One line back: a step on the way, then the record, the reason why there is none with what to do, or the report."""

    step: str | None = None
    record: StackRecord | None = None
    failed: str | None = None
    fix: str | None = None
    report: StackReport | None = None
