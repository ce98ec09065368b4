"""The pre-flight report: what of this kernel would travel with a flow, and what speaks against it."""

from __future__ import annotations

from satflow_ext.kernel.preflight.report import preflight

__all__ = ["preflight"]
