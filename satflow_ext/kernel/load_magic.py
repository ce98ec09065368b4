"""The `%load_flow` magic."""

from __future__ import annotations

import sys

from satflow_ext.choices import LineParser, split_line
from satflow_ext.errors import SatflowError
from satflow_ext.kernel.kernel_session import get_shell
from satflow_ext.kernel.load_flow import LoadedFlow, cells_text, load_with_manifest


def load_flow(line: str) -> LoadedFlow | None:
    """Execute a line of the magic. Report an error as one message, without a traceback."""
    parser = _parser()
    try:
        words = parser.parse_args(split_line(line))
        if words.help or not words.name:
            sys.stdout.write(parser.format_help())
            return None
        done = load_with_manifest(words.name, words.as_name)
        shell = get_shell()
        if words.cells and shell is not None:
            shell.set_next_input(cells_text(done.manifest))
    except SatflowError as error:
        sys.stderr.write(f"{error}\n")
        return None
    return done


def _parser() -> LineParser:
    parser = LineParser(
        prog="%load_flow",
        description="Load a registered flow into this notebook, after its signature and environment were checked.",
        add_help=False,
    )
    parser.add_argument("name", nargs="?", metavar="NAME[@VERSION]", help="the deployment (default: its live version)")
    parser.add_argument("--as", dest="as_name", metavar="VARIABLE", help="another variable name in this notebook")
    parser.add_argument("--cells", action="store_true", help="put the cells that defined the flow into a new cell")
    parser.add_argument("-h", "--help", action="store_true", help="show this help message")
    return parser
