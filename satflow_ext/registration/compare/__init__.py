"""Differences between two versions, found in their manifests alone: no content is read and nothing is unpickled."""

from __future__ import annotations

from satflow_ext.registration.compare.between import between
from satflow_ext.registration.compare.summary import summary

__all__ = ["between", "summary"]
