"""Job variables: the settings with which a work pool starts each flow run.

A work pool has a *base job template*: a schema of the variables that a deployment may set, and a job configuration with a
placeholder for each variable. Nothing in this package does I/O.
"""

from __future__ import annotations

from satflow_ext.job_variables.fit import (
    build_job_variables,
    check_plain_text,
    other_variables_schema,
    supported_fields,
)
from satflow_ext.job_variables.template import Template, flatten_job_variables, nest_job_variables

__all__ = [
    "Template",
    "build_job_variables",
    "check_plain_text",
    "flatten_job_variables",
    "nest_job_variables",
    "other_variables_schema",
    "supported_fields",
]
