"""The flags that say how a flow is registered, shared by every command that registers."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from pydantic import JsonValue

from satflow_ext.errors import BadRequest
from satflow_ext.models import CronSchedule, ExecutorChoice, IntervalSchedule, JsonObject, Registration, Schedule
from satflow_ext.models import NoSchedule as Never


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags. What no flag knows is an executor's option (`--n-workers 2`)."""
    parser.add_argument("--name", help="the deployment's name (default: the flow's)")
    parser.add_argument("--executor", default="threads", help="how tasks run: threads, processes, dask-local, …")
    parser.add_argument("--cron", help='five fields, for example "0 6 * * *"')
    parser.add_argument("--interval", type=float, help="seconds between two runs")
    parser.add_argument("--timezone", default="UTC", help="IANA name, for example Europe/Berlin")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter; JSON or text")
    parser.add_argument("--work-pool", help="the Prefect work pool")
    parser.add_argument("--tag", action="append", default=[], help="a tag of the deployment")


def registration(args: argparse.Namespace, executor_options: Sequence[str]) -> Registration:
    """What the flags say.

    Raises:
        BadRequest: they contradict each other or cannot be read.
    """
    return Registration(
        name=args.name,
        parameters=parameters(args.param),
        executor=ExecutorChoice(name=args.executor, options=_options(executor_options)),
        schedule=_schedule(args),
        work_pool=args.work_pool,
        tags=tuple(args.tag),
    )


def parameters(given: Sequence[str]) -> JsonObject:
    """Parameters from `NAME=VALUE` words.

    Raises:
        BadRequest: a word has no `=`.
    """
    found: JsonObject = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise BadRequest(
                f"{word!r} gives no parameter a value.", fix="Write --param name=value.", field="parameters"
            )
        found[name] = value(text)
    return found


def value(text: str) -> JsonValue:
    """The JSON value that a text spells, or the text itself."""
    try:
        parsed: JsonValue = json.loads(text)
    except ValueError:
        return text
    return parsed


def _options(words: Sequence[str]) -> JsonObject:
    """`--n-workers 2` → `{"n_workers": 2}`; also `--n-workers=2`."""
    split = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    flags, values = split[::2], split[1::2]
    if len(flags) != len(values) or not all(flag.startswith("--") for flag in flags):
        raise BadRequest(f"Cannot read {' '.join(words)!r}.", fix="Executor options come in pairs: --n-workers 2.")
    return {flag[2:].replace("-", "_"): value(text) for flag, text in zip(flags, values, strict=True)}


def _schedule(args: argparse.Namespace) -> Schedule:
    if args.cron is not None and args.interval is not None:
        raise BadRequest("A schedule is either --cron or --interval.", fix="Leave one out.", field="schedule")
    if args.cron is not None:
        return CronSchedule(cron=args.cron, timezone=args.timezone)
    if args.interval is not None:
        return IntervalSchedule(seconds=args.interval, timezone=args.timezone)
    return Never()
