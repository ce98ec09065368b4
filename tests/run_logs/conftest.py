"""Spool files of runs that a real Prefect server has."""

from __future__ import annotations

from tests.runs.conftest import prefect, prefect_api

__all__ = ["prefect", "prefect_api"]
