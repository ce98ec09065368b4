"""Job variables one by one: each environment variable counts as one of its own, which somebody else may have set."""

from __future__ import annotations

from satflow_ext.models import JsonObject

ENV = "env"
"""The job variable that Prefect's worker types have in common: environment variables by name."""


def flat(job_variables: JsonObject) -> JsonObject:
    """`{"image": …, "env": {"A": "1"}}` → `{"image": …, "env.A": "1"}`."""
    found = {name: value for name, value in job_variables.items() if name != ENV}
    env = job_variables.get(ENV)
    if isinstance(env, dict):
        return found | {f"{ENV}.{name}": value for name, value in env.items()}
    return found if env is None else found | {ENV: env}


def whole(single: JsonObject) -> JsonObject:
    """The same as Prefect keeps them."""
    env = {name.removeprefix(f"{ENV}."): value for name, value in single.items() if name.startswith(f"{ENV}.")}
    others = {name: value for name, value in single.items() if not name.startswith(f"{ENV}.")}
    return others | ({ENV: env} if env else {})
