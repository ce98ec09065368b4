"""The flags that say how a flow is registered, shared by every command that registers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import zip_longest

from satflow_ext.errors import BadRequest
from satflow_ext.kernel.api import schedule
from satflow_ext.kernel.options import (
    OPTIONS,
    add_executor_option,
    environment_policy,
    infrastructure,
    parameter_texts,
    secret_names,
)
from satflow_ext.models import AS_FLOW_SAYS, ExecutorChoice, JsonObject, WrittenRegistration
from satflow_ext.parameter_values.text import from_text

OWN = frozenset({"--flow", "--kernel", "--cell-timeout", "--storage", "--dry-run", "--json"})
"""Options that the command has and the magic has not."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags. What no flag knows is an executor's option (`--n-workers 2`)."""
    parser.add_argument("--name", help="the deployment's name (default: the flow's)")
    parser.add_argument(
        "--executor",
        default=AS_FLOW_SAYS,
        help="how tasks run: flow (default: by the flow's own task runner), threads, processes, dask-local, …",
    )
    parser.add_argument("--cron", help='five fields, for example "0 6 * * *"')
    parser.add_argument("--interval", type=float, help="seconds between two runs")
    parser.add_argument("--timezone", default="UTC", help="IANA name, for example Europe/Berlin")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter; JSON or text, by its type"
    )
    parser.add_argument("--work-pool", help="the Prefect work pool")
    parser.add_argument("--image", help="the container image of its runs, where the work pool starts containers")
    parser.add_argument("--cpu", metavar="CORES", help="how many cores a run gets there")
    parser.add_argument("--memory", metavar="GIB", help="and how much memory")
    parser.add_argument("--gpus", metavar="NUMBER", help="and how many GPUs")
    parser.add_argument(
        "--env", action="append", metavar="NAME=VALUE", help="an environment variable of its runs, no credential"
    )
    parser.add_argument(
        "--job-variable", action="append", metavar="NAME=VALUE", help="what else the work pool takes, by its own name"
    )
    parser.add_argument("--overwrite", action="store_true", help="overwrite what somebody has changed in Prefect")
    parser.add_argument("--tag", action="append", default=[], help="a tag of the deployment")
    parser.add_argument(
        "--environment", default="warn", help="where a run's packages differ: warn (default), refuse or recreate"
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME",
        help="a credential that the flow needs, found where it runs",
    )
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="FILES",
        help="data files that travel: data/*.csv, or a folder",
    )


def registration(args: argparse.Namespace, executor_options: Sequence[str]) -> WrittenRegistration:
    """What the flags say.

    Raises:
        BadRequest: they contradict each other or cannot be read.
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
        secrets=secret_names(args.secret),
        include=tuple(args.include),
    )


def _given(args: argparse.Namespace) -> dict[str, list[str]]:
    """The options of infrastructure that were given, as the magic reads them."""
    once = {f"--{name}": [getattr(args, name)] for name in ("image", "cpu", "memory", "gpus") if getattr(args, name)}
    more = {"--env": args.env, "--job-variable": args.job_variable}
    return once | {name: values for name, values in more.items() if values}


def _options(words: Sequence[str]) -> JsonObject:
    """`--n-workers 2` → `{"n_workers": 2}`; also `--n-workers=2`."""
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    flags, values = split[::2], split[1::2]
    options: JsonObject = {}
    for flag, text in zip_longest(flags, values):
        if not flag.startswith("-") or (text is None and flag.startswith("--")):
            raise BadRequest(f"Cannot read {' '.join(words)!r}.", fix="Executor options come in pairs: --n-workers 2.")
        add_executor_option(options, flag, from_text(text or ""), OPTIONS.keys() | OWN)
    return options
