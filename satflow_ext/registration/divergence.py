"""What has become of a deployment since this machine wrote it: decided from the journal, Prefect's row and the witness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from satflow_ext.registration.deployment_pin import Pin
from satflow_ext.registration.journal import Written

Verdict = Literal["as written", "newer", "lost", "deleted", "gone", "changed"]
"""`lost`: the database has lost the write. `deleted`: it had it, and somebody deleted the row. `gone`: one of the two.
`changed`: somebody has changed what the row pins. `newer`: somebody has registered it on another machine."""


@dataclass(frozen=True)
class Live:
    """What Prefect has: the version that its row says, 0 for none, and the pin, None where the row is nobody's of ours."""

    version: int
    pin: Pin | None


def judge(written: Written, live: Live | None, seen: int | None) -> Verdict:
    """Compare the last write with what Prefect has.

    SQLite, after a power cut, has a prefix of the commits that it had (https://sqlite.org/wal.html), and the witness is
    committed after the row: a database with the witness of a write has had its row.

    Args:
        written: the last write that was seen through.
        live: what Prefect has, None for no row.
        seen: how many writes Prefect's database has seen, None where there is no witness.
    """
    if live is not None and live.pin == written.pin:
        return "as written"
    if live is not None and live.version > written.version:
        return "newer"
    ours = live is None or (live.pin is not None and live.version < written.version)
    if ours and seen is not None and seen < written.number:
        return "lost"
    if live is not None:
        return "changed"
    return "gone" if seen is None else "deleted"
