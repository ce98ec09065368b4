"""Checks of whether an HTTP endpoint works as a store, which users can run on their own endpoints.

`suite.run` runs them one after the other. If a *required* check fails, registering or running flows fails; a *recommended* check
is about behavior that SatFlow does not need, because it verifies contents itself, but that makes a store safer.
"""

from __future__ import annotations

from satflow_ext.conformance.check_base import CheckResult
from satflow_ext.conformance.suite import SuiteReport, run_checks

__all__ = ["CheckResult", "SuiteReport", "run_checks"]
