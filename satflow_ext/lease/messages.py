"""Messages on the local stack's socket: one JSON object per line, one request per connection.

A connection with a lease request *is* the lease, which lasts until the connection closes, however its holder ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from satflow_ext.endpoints import Service, StackRecord


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(_Message):
    """A request of a client: take a lease on services, start additional services without a lease, report, or stop the stack.

    `stay` keeps the stack running after its last lease, until a client stops it.
    """

    verb: Literal["lease", "start", "report", "stop"]
    needs: tuple[Service, ...] = ()
    stay: bool = False


class ServiceReport(_Message):
    """The state of one service. `url` has no credential; `restarts` counts the restarts after a death of its process.

    `last_end` describes the last death.
    """

    name: str
    state: Literal["starting", "ready", "failed"]
    pid: int | None
    url: str | None
    log: str
    restarts: int
    last_end: str | None = None


class StackReport(_Message):
    """The supervisor's report for `satflow status`.

    `stores` has the mark of each store, other than the built-in one, that flow runs of this stack can read from
    (`endpoints.fingerprint_store`). A mark reveals neither address nor credential.
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
    """A line of the reply: a step of the start, then the record, the reason and fix of a failure, or the report."""

    step: str | None = None
    record: StackRecord | None = None
    failed: str | None = None
    fix: str | None = None
    report: StackReport | None = None
