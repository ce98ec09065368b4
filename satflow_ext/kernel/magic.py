"""The `%register_flow` magic."""

from __future__ import annotations

import sys

from satflow_ext.choices.register_line import ParsedLine, build_parser, parse_line
from satflow_ext.display.preflight import CheckedFlow
from satflow_ext.display.registered_flow import RegisteredFlow
from satflow_ext.errors import BadRequest, SatflowError


def register_flow(line: str) -> RegisteredFlow | CheckedFlow | None:
    """Execute a line of the magic. Report an error as one message, without a traceback."""
    try:
        parsed = parse_line(line)
        if parsed.help:
            sys.stdout.write(build_parser().format_help())
            return None
        return _register_line(parsed)
    except SatflowError as error:
        sys.stderr.write(f"{error}\n")
        return None


def _register_line(parsed: ParsedLine) -> RegisteredFlow | CheckedFlow | None:
    from satflow_ext.kernel.api import check_registration, register_choice

    if parsed.flow is None:
        raise BadRequest("The line names no flow.", fix="Write %register_flow my_flow; see --help.")
    if parsed.check:
        return check_registration(parsed.flow, parsed.registration)
    return register_choice(parsed.flow, parsed.registration, run=parsed.run, overwrite=parsed.overwrite)
