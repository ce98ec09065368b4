"""Job variables: what each flow run is started with, in the words of the work pool that starts it.

A work pool has a *base job template*: a schema of the variables that a deployment may set, and a configuration in which each
stands where the Prefect worker needs it. Nothing here asks anybody.
"""

from __future__ import annotations

from satflow_ext.job_variables.fit import job_variables
from satflow_ext.job_variables.flat import flat, whole
from satflow_ext.job_variables.offered import others, takes
from satflow_ext.job_variables.plain import check_plain
from satflow_ext.job_variables.template import Template

__all__ = ["Template", "check_plain", "flat", "job_variables", "others", "takes", "whole"]
