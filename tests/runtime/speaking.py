"""A flow that speaks until it is told to stop."""

from __future__ import annotations

from prefect import flow


@flow(log_prints=True)
def keeps_speaking(gate: str):
    import itertools
    import time
    from pathlib import Path

    for number in itertools.count():
        print(f"line {number}")  # noqa: T201 - Prefect logs it
        time.sleep(0.002)
        if Path(gate).exists():
            return
