"""SatFlow's part of a flow run: the pull step `satflow_ext.runtime.pull`, and the loader that it writes."""

from __future__ import annotations

from satflow_ext.runtime.fetch import pull

__all__ = ["pull"]
