"""The line of `%register_flow`, which a kernel executes and `satflow register` reads from a notebook."""

from __future__ import annotations

import argparse

from satflow_ext.choices.parser import (
    EXECUTOR_OPTIONS_HELP,
    LineParser,
    add_registration_options,
    parse_registration,
    split_line,
)
from satflow_ext.errors import BadRequest
from satflow_ext.models import WrittenRegistration


class ParsedLine(argparse.Namespace):
    """A parsed line of the magic: the flow, None if the line names none, its flags, and the registration."""

    flow: str | None
    help: bool
    check: bool
    overwrite: bool
    run: bool
    registration: WrittenRegistration


def build_parser() -> LineParser:
    """Build the parser of the magic's line."""
    parser = LineParser(
        prog="%register_flow",
        usage="%(prog)s FLOW [options]",
        description="Register a flow of this notebook as a Prefect deployment.",
        epilog=f"{EXECUTOR_OPTIONS_HELP}\n\nExample:\n  %(prog)s main --executor dask-local --n-workers 2 "
        '--cron "0 6 * * *" --timezone Europe/Berlin',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("flow", nargs="?", metavar="FLOW", help="the flow, by the name of its variable")
    add_registration_options(parser)
    parser.add_argument("--run", action="store_true", help="start a run immediately")
    parser.add_argument("-h", "--help", action="store_true", help="show this help message and exit")
    return parser


def parse_line(line: str) -> ParsedLine:
    """Parse the line of the magic.

    Raises:
        BadRequest: the line is not valid; the message names the faulty part.
    """
    parser = build_parser()
    parsed = ParsedLine()
    _, rest = parser.parse_known_args(split_line(line), parsed)
    if rest and not rest[0].startswith("-"):
        fix = f"Options start with two dashes; a value with spaces needs quotes, which {rest[0]!r} lacks."
        raise BadRequest(f"Two flows are named: {parsed.flow} and {rest[0]}.", fix=fix)
    parsed.registration = parse_registration(parsed, rest, parser.options)
    return parsed
