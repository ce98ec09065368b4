# Annotations that are only text, of other cells and of a nested function.
# gives: (2026, 1, 5)
# runs with: {"window": {"start": "2026-05-01"}, "more": [{"start": "2026-05-01", "days": 3}]}
# %%
from __future__ import annotations
import datetime
from dataclasses import dataclass
from pydantic import BaseModel
class Window(BaseModel):
    start: datetime.date
    days: int | None = None
@dataclass
class Limits:
    low: int
    high: Limits | None = None
# %%
from prefect import flow, task
@task
def limited(limits: Limits) -> int: return limits.high.low
@flow
def inner(limits: Limits) -> int: return limited(limits)
@flow
def main(window: Window, more: list[Window] = ()): return window.start.year, len(more), inner(Limits(1, Limits(5)))
