"""Flattened job variables: each environment variable is a separate one, because another program may have set it."""

from __future__ import annotations

from satflow_ext.models import JsonObject

ENV = "env"
"""The job variable with environment variables by name, which all of Prefect's worker types have."""


def flatten_job_variables(job_variables: JsonObject) -> JsonObject:
    """Flatten job variables: `{"image": …, "env": {"A": "1"}}` → `{"image": …, "env.A": "1"}`."""
    found = {name: value for name, value in job_variables.items() if name != ENV}
    env = job_variables.get(ENV)
    if isinstance(env, dict):
        return found | {f"{ENV}.{name}": value for name, value in env.items()}
    return found if env is None else found | {ENV: env}


def nest_job_variables(single: JsonObject) -> JsonObject:
    """Nest flattened job variables again, as Prefect stores them."""
    env = {name.removeprefix(f"{ENV}."): value for name, value in single.items() if name.startswith(f"{ENV}.")}
    others = {name: value for name, value in single.items() if not name.startswith(f"{ENV}.")}
    return others | ({ENV: env} if env else {})
