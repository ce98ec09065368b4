"""What a flow run needs of SatFlow: the pull step `satflow_ext.runtime.pull`, and the loader that it leaves behind."""

from __future__ import annotations

from satflow_ext.runtime.fetch import pull

__all__ = ["pull"]
