"""Registration: the one way a flow becomes a deployment, for the sidebar, the magic and the command line alike."""

from __future__ import annotations

from satflow_ext.registration.plan import check_choices
from satflow_ext.registration.registrar import register

__all__ = ["check_choices", "register"]
