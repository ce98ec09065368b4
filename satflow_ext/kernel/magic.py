"""The `%register_flow` magic."""

from __future__ import annotations

import sys

from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.kernel.options import (
    Words,
    environment_policy,
    help_text,
    infrastructure,
    missed_runs,
    parameter_texts,
    read,
    secret_names,
)
from satflow_ext.kernel.report_display import CheckedFlow
from satflow_ext.kernel.result import RegisteredFlow
from satflow_ext.models import AS_FLOW_SAYS, ExecutorChoice, WrittenRegistration


def register_flow(line: str) -> RegisteredFlow | CheckedFlow | None:
    """Execute a line of the magic. Report an error as one message, without a traceback."""
    try:
        words = read(line)
        if "--help" in words.known:
            sys.stdout.write(help_text())
            return None
        return _register(words)
    except SatflowError as error:
        sys.stderr.write(f"{error}\n")
        return None


def _register(words: Words) -> RegisteredFlow | CheckedFlow | None:
    from satflow_ext.kernel.api import checked, registered

    if words.flow is None:
        raise BadRequest("The line names no flow.", fix="Write %register_flow my_flow; see --help.")
    if "--check" in words.known:
        return checked(words.flow, registration(words))
    said = words.known
    return registered(words.flow, registration(words), run="--run" in said, overwrite="--overwrite" in said)


def registration(words: Words) -> WrittenRegistration:
    """Convert the parsed line to a registration.

    Raises:
        BadRequest: options contradict each other.
    """
    from satflow_ext.kernel.api import schedule

    return WrittenRegistration(
        name=words.one("--name"),
        parameter_texts=parameter_texts(words.known.get("--param", [])),
        executor=ExecutorChoice(name=words.one("--executor") or AS_FLOW_SAYS, options=words.executor_options),
        schedule=schedule(words.one("--cron"), words.one("--interval"), words.one("--timezone") or "UTC"),
        work_pool=words.one("--work-pool"),
        infrastructure=infrastructure(words.known),
        tags=tuple(words.known.get("--tag", [])),
        environment=environment_policy(words.one("--environment") or "warn"),
        missed_runs=missed_runs(words.one("--missed-runs") or "last"),
        secrets=secret_names(words.known.get("--secret", [])),
        include=tuple(words.known.get("--include", [])),
    )
