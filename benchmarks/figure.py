"""One measured figure, printed as one JSON line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import median, quantiles


def report(name: str, ours: float, peer: float | None = None, *, unit: str = "ms", n: int) -> None:
    """Print a figure. `ratio` is ours / peer, so less than 1 is better where less is better."""
    ratio = round(ours / peer, 3) if peer else None
    rounded = None if peer is None else round(peer, 2)
    print(json.dumps({"name": name, "ours": round(ours, 2), "peer": rounded, "ratio": ratio, "unit": unit, "n": n}))


def p50(values: Sequence[float]) -> float:
    """The median."""
    return median(values)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile, which of fewer than a hundred values is close to the largest."""
    return quantiles(values, n=100, method="inclusive")[98]
