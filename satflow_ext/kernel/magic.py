"""The `%register_flow` magic."""

from __future__ import annotations

import sys

from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.kernel.options import (
    ParsedLine,
    help_text,
    parse_environment_policy,
    parse_line,
    parse_missed_runs,
    parse_parameter_texts,
    parse_secret_names,
    to_infrastructure,
)
from satflow_ext.kernel.report_display import CheckedFlow
from satflow_ext.kernel.result import RegisteredFlow
from satflow_ext.models import FLOW_EXECUTOR, ExecutorChoice, WrittenRegistration


def register_flow(line: str) -> RegisteredFlow | CheckedFlow | None:
    """Execute a line of the magic. Report an error as one message, without a traceback."""
    try:
        words = parse_line(line)
        if "--help" in words.options:
            sys.stdout.write(help_text())
            return None
        return _run_words(words)
    except SatflowError as error:
        sys.stderr.write(f"{error}\n")
        return None


def _run_words(words: ParsedLine) -> RegisteredFlow | CheckedFlow | None:
    from satflow_ext.kernel.api import check_registration, register_choice

    if words.flow is None:
        raise BadRequest("The line names no flow.", fix="Write %register_flow my_flow; see --help.")
    if "--check" in words.options:
        return check_registration(words.flow, to_registration(words))
    options = words.options
    return register_choice(
        words.flow, to_registration(words), run="--run" in options, overwrite="--overwrite" in options
    )


def to_registration(words: ParsedLine) -> WrittenRegistration:
    """Convert the parsed line to a registration.

    Raises:
        BadRequest: options contradict each other.
    """
    from satflow_ext.kernel.api import parse_schedule

    return WrittenRegistration(
        name=words.get_single("--name"),
        parameter_texts=parse_parameter_texts(words.options.get("--param", [])),
        executor=ExecutorChoice(name=words.get_single("--executor") or FLOW_EXECUTOR, options=words.executor_options),
        schedule=parse_schedule(
            words.get_single("--cron"), words.get_single("--interval"), words.get_single("--timezone") or "UTC"
        ),
        work_pool=words.get_single("--work-pool"),
        infrastructure=to_infrastructure(words.options),
        tags=tuple(words.options.get("--tag", [])),
        environment=parse_environment_policy(words.get_single("--environment") or "warn"),
        missed_runs=parse_missed_runs(words.get_single("--missed-runs") or "last"),
        secrets=parse_secret_names(words.options.get("--secret", [])),
        include=tuple(words.options.get("--include", [])),
    )
