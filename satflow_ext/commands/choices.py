"""The options for registering a flow, shared with `%register_flow`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import zip_longest

from satflow_ext.errors import BadRequest
from satflow_ext.kernel.api import schedule
from satflow_ext.kernel.options import (
    EXECUTOR_OPTIONS,
    OPTIONS,
    add_executor_option,
    add_shared_options,
    environment_policy,
    infrastructure,
    missed_runs,
    parameter_texts,
    secret_names,
)
from satflow_ext.models import ExecutorChoice, JsonObject, WrittenRegistration
from satflow_ext.parameter_values.text import from_text

OWN = frozenset({"--flow", "--kernel", "--cell-timeout", "--storage", "--dry-run", "--json"})
"""Options that the command has and the magic does not."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options. All other options are those of the executor (`--n-workers 2`)."""
    add_shared_options(parser)
    parser.epilog = EXECUTOR_OPTIONS


def registration(args: argparse.Namespace, executor_options: Sequence[str]) -> WrittenRegistration:
    """Build the registration choices from the flags.

    Raises:
        BadRequest: the flags contradict each other or cannot be parsed.
    """
    return WrittenRegistration(
        name=args.name,
        parameter_texts=parameter_texts(args.param),
        executor=ExecutorChoice(name=args.executor, options=_options(executor_options)),
        schedule=schedule(args.cron, args.interval, args.timezone),
        work_pool=args.work_pool,
        infrastructure=infrastructure(_given(args)),
        tags=tuple(args.tag),
        environment=environment_policy(args.environment),
        missed_runs=missed_runs(args.missed_runs),
        secrets=secret_names(args.secret),
        include=tuple(args.include),
    )


def _given(args: argparse.Namespace) -> dict[str, list[str]]:
    """Return the infrastructure options that were given, in the form that the magic uses."""
    once = {f"--{name}": [getattr(args, name)] for name in ("image", "cpu", "memory", "gpus") if getattr(args, name)}
    more = {"--env": args.env, "--job-variable": args.job_variable}
    return once | {name: values for name, values in more.items() if values}


def _options(words: Sequence[str]) -> JsonObject:
    """Parse executor options: `--n-workers 2` or `--n-workers=2` → `{"n_workers": 2}`."""
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    flags, values = split[::2], split[1::2]
    options: JsonObject = {}
    for flag, text in zip_longest(flags, values):
        if not flag.startswith("-") or (text is None and flag.startswith("--")):
            raise BadRequest(f"Cannot read {' '.join(words)!r}.", fix="Executor options come in pairs: --n-workers 2.")
        add_executor_option(options, flag, from_text(text or ""), OPTIONS.keys() | OWN)
    return options
