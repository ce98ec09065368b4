"""Divergence of a deployment from this machine's last write, decided from the journal, Prefect's row and the write marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from satflow_ext.registration.deployment_pin import Pin
from satflow_ext.registration.journal import DeploymentWrite

Divergence = Literal["as written", "newer", "lost", "deleted", "gone", "changed"]
"""`lost`: the database has lost the write. `deleted`: the database had the write, and the row was deleted. `gone`: one of the
two. `changed`: the row's pin was changed. `newer`: the deployment was registered on another machine."""


@dataclass(frozen=True)
class LiveState:
    """The state in Prefect: the version in the row, 0 for none, and the pin, None if SatFlow did not create the row."""

    version: int
    pin: Pin | None


def classify_divergence(written: DeploymentWrite, live: LiveState | None, marker_count: int | None) -> Divergence:
    """Compare the last write with the state in Prefect.

    After a power cut, SQLite has a prefix of its earlier commits (https://sqlite.org/wal.html), and the write marker is
    committed after the row: a database with the marker of a write has also had its row.

    Args:
        written: the last completed write.
        live: the state in Prefect, None if there is no row.
        marker_count: number of writes that the marker in Prefect's database counts, None if there is no marker.
    """
    if live is not None and live.pin == written.pin:
        return "as written"
    if live is not None and live.version > written.version:
        return "newer"
    ours = live is None or (live.pin is not None and live.version < written.version)
    if ours and marker_count is not None and marker_count < written.number:
        return "lost"
    if live is not None:
        return "changed"
    return "gone" if marker_count is None else "deleted"
