"""The options of run groups, in a terminal and in `%run_flow`, and the request that they form."""

from __future__ import annotations

import argparse
from typing import get_args

from pydantic import ValidationError

from satflow_ext.errors import BadRequest
from satflow_ext.models import PointChoice, RunGroupRequest
from satflow_ext.validation_errors import convert_first_error

_DEPENDENT_OPTIONS = ("group", "concurrency", "only", "newest_first", "dry_run")
"""Options that need `--over`."""


def add_group_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of run groups to a parser."""
    parser.add_argument(
        "--over",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="start a run group: a run for each value, such as day=2026-01-01..2026-01-31, n=1..10 or region=a,b; may be "
        "repeated, for all combinations",
    )
    parser.add_argument(
        "--group", metavar="NAME", help="with --over: the name of the group; an existing one is continued"
    )
    parser.add_argument(
        "--concurrency",
        type=int,
        metavar="N",
        help="with --over: the number of runs that execute at a time (default: 4)",
    )
    parser.add_argument(
        "--only",
        choices=get_args(PointChoice),
        help="with --over and an existing group: the points to run: missing ones (default), also failed ones, or all",
    )
    parser.add_argument("--newest-first", action="store_true", help="with --over: start with the last point")
    parser.add_argument("--dry-run", action="store_true", help="with --over: start nothing, and show the runs")


def parse_group_request(args: argparse.Namespace, deployment: str) -> RunGroupRequest | None:
    """Return the request of a run group, None if the options request a single run.

    Args:
        args: the parsed options.
        deployment: the name of the deployment.

    Raises:
        BadRequest: an option is not valid, or needs `--over`.
    """
    if not args.over:
        for name in _DEPENDENT_OPTIONS:
            if getattr(args, name):
                option = f"--{name.replace('_', '-')}"
                raise BadRequest(
                    f"{option} is an option of run groups.", fix=f"Add --over NAME=VALUES, or leave {option} out."
                )
        return None
    fields = {
        "deployment": deployment,
        "name": args.group,
        "over": _parse_over(args.over),
        "concurrency": args.concurrency,
        "only": args.only,
        "newest_first": args.newest_first,
    }
    try:
        return RunGroupRequest.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        raise convert_first_error(error) from None


def _parse_over(words: list[str]) -> dict[str, str]:
    from satflow_ext.choices import parse_assignments  # here, because its import would delay the start of every run

    over: dict[str, str] = {}
    for word in words:
        given = parse_assignments([word], "--over", "option --over", "over")
        if repeated := over.keys() & given.keys():
            raise BadRequest(
                f"--over {repeated.pop()}=… is given twice.",
                fix="Write all values of a parameter in one option: region=a,b.",
            )
        over |= given
    return over
