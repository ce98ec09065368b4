"""`satflow worker`: start a Prefect worker whose flow runs are forks, as `prefect worker start --type satflow`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from satflow_ext.commands.argument_words import refuse_extra_arguments
from satflow_ext.endpoints import WORKER_TYPE, resolve_prefect
from satflow_ext.errors import BadRequest, SettingsWrong
from satflow_ext.settings import load_settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument("--pool", metavar="NAME", help="its work pool (default: the one of the settings)")
    parser.add_argument("--limit", type=int, metavar="N", help="how many flow runs may run at once (default: no limit)")
    parser.add_argument("--name", metavar="NAME", help="its name in Prefect (default: a generated one)")


def run(args: argparse.Namespace, rest: Sequence[str]) -> NoReturn:
    """Become the Prefect worker.

    Raises:
        SettingsWrong: no Prefect API is configured.
        BadRequest: it has no work pool.
    """
    refuse_extra_arguments(rest, "worker")
    settings = load_settings()
    if settings.prefect_api_url is None:
        raise SettingsWrong(
            "No Prefect API is configured, and the local stack has a Prefect worker of its own.",
            fix="Set PREFECT_API_URL, or start the local stack with `satflow up`.",
        )
    pool = args.pool or settings.work_pool
    if not pool:
        raise BadRequest(
            "A Prefect worker needs a work pool.", fix="Add --pool NAME, or set work_pool in satflow.toml."
        )
    prefect = resolve_prefect(settings, None)
    credentials = {"PREFECT_API_AUTH_STRING": prefect.auth_string, "PREFECT_API_KEY": prefect.api_key}
    options = {"--type": WORKER_TYPE, "--pool": pool, "--limit": args.limit, "--name": args.name}
    os.execve(
        sys.executable,
        [sys.executable, "-m", "prefect", "worker", "start", *_given_options(options)],
        _replace_variables({"PREFECT_API_URL": prefect.url, **credentials}),
    )


def _given_options(options: Mapping[str, str | int | None]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items() if value is not None]


def _replace_variables(values: Mapping[str, str | None]) -> dict[str, str]:
    """Return this process's environment variables with these values, and without those that have none."""
    kept = {name: value for name, value in os.environ.items() if name not in values}
    return kept | {name: value for name, value in values.items() if value is not None}
