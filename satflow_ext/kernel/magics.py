"""The magics `%register_flow`, `%load_flow`, `%run_flow`, `%debug_run` and `%dask_cluster`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from satflow_ext import cluster_commands
from satflow_ext.choices import LineParser, list_options, parse_assignments, split_line
from satflow_ext.choices.register_line import ParsedLine, build_parser, parse_line
from satflow_ext.display.preflight import CheckedFlow
from satflow_ext.display.registered_flow import RegisteredFlow
from satflow_ext.errors import BadRequest, SatflowError
from satflow_ext.group_options import add_group_options, parse_group_request
from satflow_ext.kernel.flow_discovery import live_flows
from satflow_ext.kernel.kernel_session import get_shell, open_session, run_coroutine
from satflow_ext.kernel.load_flow import LoadedFlow, cells_text, load_with_manifest
from satflow_ext.models import FLOW_EXECUTOR
from satflow_ext.settings import load_settings

if TYPE_CHECKING:
    from satflow_ext.display.group_view import PlanView
    from satflow_ext.kernel.debug_run import DebugRun
    from satflow_ext.kernel.group_handle import RunGroupHandle
    from satflow_ext.kernel.run_handle import RunHandle

T = TypeVar("T")


def report_errors(magic: Callable[[str], T | None]) -> Callable[[str], T | None]:
    """Make a magic report an error as one message, without a traceback."""

    @functools.wraps(magic)
    def execute_line(line: str) -> T | None:
        try:
            return magic(line)
        except SatflowError as error:
            sys.stderr.write(f"{error}\n")
            return None

    return execute_line


@report_errors
def register_flow(line: str) -> RegisteredFlow | CheckedFlow | None:
    """Execute a line of `%register_flow`."""
    parsed = parse_line(line)
    if parsed.help:
        sys.stdout.write(build_parser().format_help())
        return None
    return _register_line(parsed)


def _register_line(parsed: ParsedLine) -> RegisteredFlow | CheckedFlow | None:
    from satflow_ext.kernel.api import check_registration, register_choice

    if parsed.flow is None:
        raise BadRequest("The line names no flow.", fix="Write %register_flow my_flow; see --help.")
    if parsed.check:
        return check_registration(parsed.flow, parsed.registration)
    return register_choice(parsed.flow, parsed.registration, run=parsed.run, overwrite=parsed.overwrite)


def complete_line(shell: Any, event: Any) -> list[str]:
    """Return the flows, options, executors or executor options that fit at the cursor position.

    Args:
        shell: the IPython shell.
        event: IPython's completion event: the line up to the cursor in `line`, the word being typed in `symbol`.
    """
    words = event.line.split()
    typed = event.symbol if not event.line.endswith(" ") else ""
    before = words[-1] if event.line.endswith(" ") else (words[-2] if len(words) > 1 else "")
    return [each for each in _candidates(shell, words, before, typed) if each.startswith(typed)]


def _candidates(shell: Any, words: list[str], before: str, typed: str) -> list[str]:
    choice = next((each for each in list_options() if each.flag == before), None)
    if before == "--executor":
        return _executor_names()
    if choice is not None and not typed.startswith("-"):
        return list(choice.values)
    options = [*sorted(build_parser().options - {"-h"}), *_executor_options(words)]
    if typed.startswith("-"):
        return options
    flows = [found.variable for found in live_flows(shell.user_ns)]
    return options if any(word in flows for word in words) else flows


def _executor_names() -> list[str]:
    from satflow_ext.executors import EXECUTORS

    return list(EXECUTORS)


def _executor_options(words: list[str]) -> list[str]:
    from satflow_ext.executors import EXECUTORS

    name = words[words.index("--executor") + 1] if "--executor" in words[:-1] else FLOW_EXECUTOR
    fields = EXECUTORS[name].options.model_fields if name in EXECUTORS else {}
    return ["--" + each.replace("_", "-") for each in fields]


@report_errors
def dask_cluster(line: str) -> None:
    """Execute a line of `%dask_cluster`."""
    parser = build_cluster_parser()
    words = line.split()
    if not words or {"-h", "--help"} & set(words):
        sys.stdout.write(parser.format_help())
        return
    args = parser.parse_args(split_line(line))
    done = run_coroutine(cluster_commands.run_command(args, open_session(load_settings())))
    sys.stdout.write(f"{cluster_commands.format_clusters(done)}\n")


def build_cluster_parser() -> LineParser:
    """Build the parser of a line of `%dask_cluster`."""
    parser = LineParser(
        prog="%dask_cluster",
        description="Start, resize and stop the cluster that the runs of a deployment share, before and between runs.",
        add_help=False,
    )
    cluster_commands.add_cluster_commands(parser)
    return parser


@report_errors
def load_flow(line: str) -> LoadedFlow | None:
    """Execute a line of `%load_flow`."""
    parser = build_load_parser()
    words = parser.parse_args(split_line(line))
    if words.help or not words.name:
        sys.stdout.write(parser.format_help())
        return None
    done = load_with_manifest(words.name, words.as_name)
    shell = get_shell()
    if words.cells and shell is not None:
        shell.set_next_input(cells_text(done.manifest))
    return done


def build_load_parser() -> LineParser:
    """Build the parser of a line of `%load_flow`."""
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


@report_errors
def debug_run(line: str) -> DebugRun | None:
    """Execute a line of `%debug_run`."""
    parser = build_debug_parser()
    words = parser.parse_args(split_line(line))
    if words.help or not words.run:
        sys.stdout.write(parser.format_help())
        return None
    from satflow_ext.kernel.debug_run import debug_run as load_run

    done = load_run(words.run, task=words.task, as_name=words.as_name)
    if (shell := get_shell()) is not None:
        shell.set_next_input(done.cell_text())
    return done


def build_debug_parser() -> LineParser:
    """Build the parser of a line of `%debug_run`."""
    parser = LineParser(
        prog="%debug_run",
        description="Load the flow of a run and the inputs of its failed task, and put the call of the task into a new cell.",
        add_help=False,
    )
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="the run's id or name, or a deployment, of which the latest run is meant"
    )
    parser.add_argument("--task", metavar="NAME", help="another failed task (default: the one that ended the run)")
    parser.add_argument("--as", dest="as_name", metavar="VARIABLE", help="another variable (default: debug)")
    parser.add_argument("-h", "--help", action="store_true", help="show this help message")
    return parser


@report_errors
def run_flow(line: str) -> RunHandle | RunGroupHandle | PlanView | None:
    """Execute a line of `%run_flow`."""
    parser = build_run_parser()
    words = parser.parse_intermixed_args(split_line(line))
    if words.help or not words.deployment:
        sys.stdout.write(parser.format_help())
        return None
    texts = parse_assignments(words.parameters, f"%run_flow {words.deployment}", "parameter", "parameters")
    if (request := parse_group_request(words, words.deployment)) is not None:
        from satflow_ext.kernel import group_handle

        group = group_handle.start_group(request, texts, dry_run=words.dry_run)
        return group.wait() if words.follow and isinstance(group, group_handle.RunGroupHandle) else group
    from satflow_ext.kernel import run_handle

    started = run_handle.start_run(words.deployment, texts=texts)
    return started.follow() if words.follow else started


def build_run_parser() -> LineParser:
    """Build the parser of a line of `%run_flow`."""
    parser = LineParser(
        prog="%run_flow",
        description="Start a run of a registered flow now. It is shown until it ends.",
        add_help=False,
    )
    parser.add_argument(
        "deployment", nargs="?", metavar="NAME", help="flow/deployment, the deployment's name, or its id"
    )
    parser.add_argument(
        "parameters", nargs="*", metavar="NAME=VALUE", help="a parameter; JSON or text, depending on its type"
    )
    parser.add_argument(
        "--follow", action="store_true", help="print its log until it ends; with --over: wait for all runs"
    )
    add_group_options(parser)
    parser.add_argument("-h", "--help", action="store_true", help="show this help message")
    return parser
