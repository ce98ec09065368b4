"""Differences between two versions, found in their manifests alone: no content is read and nothing is unpickled."""

from __future__ import annotations

from satflow_ext.registration.compare.between import compare_versions, summarize_diff

__all__ = ["compare_versions", "summarize_diff"]
