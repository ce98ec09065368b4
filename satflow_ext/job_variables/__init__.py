"""Job variables: the settings with which a work pool starts each flow run.

A work pool has a *base job template*: a schema of the variables that a deployment may set, and a job configuration with a
placeholder for each variable. Nothing in this package does I/O.
"""

from __future__ import annotations

from satflow_ext.job_variables.fit import job_variables
from satflow_ext.job_variables.flat import flat, whole
from satflow_ext.job_variables.offered import others, takes
from satflow_ext.job_variables.plain import check_plain
from satflow_ext.job_variables.template import Template

__all__ = ["Template", "check_plain", "flat", "job_variables", "others", "takes", "whole"]
