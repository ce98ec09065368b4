"""Registration: the single code path from a flow to a deployment, for the sidebar, the magic and the command line."""

from __future__ import annotations

from satflow_ext.registration.checks import check_choices
from satflow_ext.registration.registrar import register

__all__ = ["check_choices", "register"]
