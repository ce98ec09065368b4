"""The options for registering a flow, shared with `%register_flow`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import zip_longest

from satflow_ext.errors import BadRequest
from satflow_ext.kernel.api import parse_schedule
from satflow_ext.kernel.options import (
    EXECUTOR_OPTIONS_HELP,
    MAGIC_OPTIONS,
    add_executor_option,
    add_shared_options,
    parse_environment_policy,
    parse_missed_runs,
    parse_parameter_texts,
    parse_secret_names,
    to_infrastructure,
)
from satflow_ext.models import ExecutorChoice, JsonObject, WrittenRegistration
from satflow_ext.parameter_values.text import parse_json_or_text

COMMAND_OPTIONS = frozenset({"--flow", "--kernel", "--cell-timeout", "--storage", "--dry-run", "--json"})
"""Options that the command has and the magic does not."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options. All other options are those of the executor (`--n-workers 2`)."""
    add_shared_options(parser)
    parser.epilog = EXECUTOR_OPTIONS_HELP


def parse_registration(args: argparse.Namespace, executor_options: Sequence[str]) -> WrittenRegistration:
    """Build the registration choices from the flags.

    Raises:
        BadRequest: the flags contradict each other or cannot be parsed.
    """
    return WrittenRegistration(
        name=args.name,
        parameter_texts=parse_parameter_texts(args.param),
        executor=ExecutorChoice(name=args.executor, options=_parse_executor_options(executor_options)),
        schedule=parse_schedule(args.cron, args.interval, args.timezone),
        work_pool=args.work_pool,
        infrastructure=to_infrastructure(_infrastructure_options(args)),
        tags=tuple(args.tag),
        environment=parse_environment_policy(args.environment),
        missed_runs=parse_missed_runs(args.missed_runs),
        secrets=parse_secret_names(args.secret),
        include=tuple(args.include),
    )


def _infrastructure_options(args: argparse.Namespace) -> dict[str, list[str]]:
    """Return the infrastructure options that were given, in the form that the magic uses."""
    once = {f"--{name}": [getattr(args, name)] for name in ("image", "cpu", "memory", "gpus") if getattr(args, name)}
    more = {"--env": args.env, "--job-variable": args.job_variable}
    return once | {name: values for name, values in more.items() if values}


def _parse_executor_options(words: Sequence[str]) -> JsonObject:
    """Parse executor options: `--n-workers 2` or `--n-workers=2` → `{"n_workers": 2}`."""
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    flags, values = split[::2], split[1::2]
    options: JsonObject = {}
    for flag, text in zip_longest(flags, values):
        if not flag.startswith("-") or (text is None and flag.startswith("--")):
            raise BadRequest(f"Cannot read {' '.join(words)!r}.", fix="Executor options come in pairs: --n-workers 2.")
        add_executor_option(options, flag, parse_json_or_text(text or ""), MAGIC_OPTIONS.keys() | COMMAND_OPTIONS)
    return options
