"""The pre-flight report: the captured objects of a flow, and the findings about them."""

from __future__ import annotations

from satflow_ext.kernel.preflight.report import create_report

__all__ = ["create_report"]
