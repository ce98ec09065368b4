"""`satflow register PATH`: execute notebooks, or import a Python file, and register the flows that they define.

`--check` prints the pre-flight report on each flow: nothing is sent, and the local stack is not started. Cells that run a flow
use the Prefect API if it already answers. Otherwise Prefect's own settings apply, so that such cells still work: Prefect may
start a server in the kernel, without its telemetry. With `--storage git`, flow runs load the file from its git commit instead of
unpickling a flow.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import nbformat

from satflow_ext import registration, scratch
from satflow_ext.arguments import Parser
from satflow_ext.choices import EXECUTOR_OPTIONS_HELP, add_registration_options, parse_registration, require_values
from satflow_ext.choices.register_line import parse_line
from satflow_ext.commands import interrupts, notebook
from satflow_ext.commands.command_endpoints import connect
from satflow_ext.commands.notebook import Notebook
from satflow_ext.disk_room import check_free_space
from satflow_ext.display.preflight import CheckedFlow
from satflow_ext.display.registered_flow import format_result
from satflow_ext.display.version_diff import format_diff
from satflow_ext.endpoints import Endpoints
from satflow_ext.errors import (
    BadRequest,
    FlowAmbiguous,
    NotInGit,
    PrefectFailed,
    SatflowError,
    SettingsWrong,
    StackFailed,
)
from satflow_ext.git import run_git
from satflow_ext.models import ErrorBody, GitFile, LiveFlow, PackedFlow, Preflight, WrittenRegistration
from satflow_ext.registration.clean_process import MAX_LOAD_SECONDS, ProcessStopped, run_code
from satflow_ext.registration.preflight import (
    add_choice_findings,
    add_clean_load,
    add_work_pool_findings,
    find_running_endpoints,
)
from satflow_ext.registration.preview import Preview
from satflow_ext.runtime import from_git
from satflow_ext.session import OpenConnection, Session
from satflow_ext.settings import Settings, load_settings

REGISTER_LINE = re.compile(r"^[ \t]*%register_flow[ \t]+(?P<words>.+?)[ \t]*$", re.MULTILINE)
SKIPPED_FOLDERS = frozenset({".ipynb_checkpoints", "node_modules", ".venv", ".git"})

LOAD_CODE = """
import pathlib, sys
from satflow_ext.models import GitFile
from satflow_ext.runtime.from_git import import_flow
import_flow(GitFile.model_validate_json(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]))
"""
GIT_TIMEOUT = 60.0
"""Seconds to wait for one git command: without an answer, nothing is registered."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's flags."""
    parser.add_argument(
        "path",
        help="a notebook, a Python file (flows.py:main for one flow of it), or a folder: each notebook in it that has a "
        "%%register_flow line, with the options of that line",
    )
    parser.add_argument("--flow", action="append", default=[], help="register only this flow (repeatable)")
    parser.add_argument("--kernel", help="kernelspec to execute the notebook with (default: the notebook's own)")
    parser.add_argument("--cell-timeout", type=float, help="time limit for one cell, in seconds (default: no limit)")
    parser.add_argument(
        "--storage",
        choices=("store", "git"),
        default="store",
        help="what a run loads: the packed flow (default), or a Python file from its git commit",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would change, without sending anything")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")
    register_parser = cast(Parser, parser)
    add_registration_options(register_parser)
    parser.epilog = EXECUTOR_OPTIONS_HELP
    parser.set_defaults(known_options=register_parser.options)


def run(args: argparse.Namespace, rest: Sequence[str]) -> int:
    """Register the flows and print the results. The first failure ends the command."""
    require_values(rest)
    settings = load_settings()
    everything = select_flows(args.path, args.flow, parse_registration(args, rest, args.known_options))
    if args.check:
        return check_flows(args, everything, settings)
    if args.storage == "git":
        for selection in everything:  # before a stack is started; checked again after packing
            locate_in_git(selection.path)
    with connect(settings) as connection:
        if connection.resolved.local:
            check_free_space((settings.state_dir, settings.runtime_dir))  # before cells run that may take an hour
        for selection in everything:
            try:
                _register_file(args, selection, connection)
            except SatflowError as error:
                if args.json:
                    print(
                        json.dumps({"path": str(selection.path), **ErrorBody.from_error(error).model_dump()}),
                        flush=True,
                    )
                raise
    return 0


def _register_file(args: argparse.Namespace, selection: FlowSelection, connection: OpenConnection) -> None:
    for _, choice in selection.choices:  # before cells run that may take an hour
        registration.check_choices(choice, connection.settings, local=connection.resolved.local)
    interrupts.run(_register_flows(args, selection, connection))


async def _register_flows(args: argparse.Namespace, selection: FlowSelection, connection: OpenConnection) -> None:
    """Register one flow after the other, and print each result at once: after a failure, the user sees what was done."""
    session = Session(connection)
    with scratch.scratch_folder(connection.settings, "pack") as folder:
        async with notebook.execute_notebook(
            selection.path, kernel=args.kernel, cell_timeout=args.cell_timeout, endpoints=connection.resolved
        ) as executed:
            report_skipped_cells(executed, selection, as_json=args.json)
            for flow, choice in await selection.find_flows(executed):
                packed = await executed.pack(flow, choice, folder)
                settled = packed.store_parameters(choice)
                if args.storage == "git":
                    packed = await reference_git_file(packed, selection.path)
                if args.dry_run:
                    _print_preview(
                        await session.preview(packed, settled, overwrite=args.overwrite),
                        as_json=args.json,
                    )
                else:
                    done = await session.register(packed, settled, overwrite=args.overwrite)
                    print(done.model_dump_json() if args.json else format_result(done), flush=True)


def _print_preview(found: Preview, *, as_json: bool) -> None:
    if as_json:
        diff = found.diff.model_dump(mode="json") if found.diff else None
        warnings = [finding.model_dump(mode="json") for finding in found.warnings]
        line = {"deployment": found.full_name, "outcome": found.outcome, "diff": diff, "warnings": warnings}
        print(json.dumps(line), flush=True)
        return
    print(f"{found.full_name}: would be {found.outcome}", flush=True)
    if found.diff:
        print("\n".join(f"  {line}" for line in format_diff(found.diff).splitlines()), flush=True)
    for finding in found.warnings:
        print(f"  warning: {finding.sentence}", flush=True)


def check_flows(args: argparse.Namespace, selections: Iterable[FlowSelection], settings: Settings) -> int:
    """Print every report, and return 1 if the registration of at least one flow would be refused."""
    return max(interrupts.run(_check_file(args, selection, settings)) for selection in selections)


async def _check_file(args: argparse.Namespace, selection: FlowSelection, settings: Settings) -> int:
    code = 0
    async for report in _preflight_reports(args, selection, settings):
        checked = CheckedFlow(report)
        print(report.model_dump_json() if args.json else f"{checked!r}\n", flush=True)
        code = code if checked.ok else 1
    return code


async def _preflight_reports(
    args: argparse.Namespace, selection: FlowSelection, settings: Settings
) -> AsyncIterator[Preflight]:
    endpoints = await asyncio.to_thread(_find_answering_endpoints, settings)
    async with notebook.execute_notebook(
        selection.path, kernel=args.kernel, cell_timeout=args.cell_timeout, endpoints=endpoints
    ) as executed:
        report_skipped_cells(executed, selection, as_json=args.json)
        for flow, choice in await selection.find_flows(executed):
            yield await _preflight_report(executed, flow, choice, settings)


def _find_answering_endpoints(settings: Settings) -> Endpoints | None:
    try:
        return find_running_endpoints(settings)
    except (PrefectFailed, SettingsWrong, StackFailed):
        return None


async def _preflight_report(
    executed: Notebook, flow: LiveFlow, choice: WrittenRegistration, settings: Settings
) -> Preflight:
    found = await executed.preflight(flow, choice)
    report = await add_work_pool_findings(add_choice_findings(found, choice, settings), choice, settings)
    if report.has_errors:
        return report
    with scratch.scratch_folder(settings, "pack") as folder, scratch.report_disk_full(folder):
        return await add_clean_load(report, await executed.pack(flow, choice, folder), choice, settings)


@dataclass(frozen=True)
class FlowSelection:
    """A file and the flows to register from it: pairs of a flow's name and its choices. An empty name means all flows."""

    path: Path
    choices: tuple[tuple[str, WrittenRegistration], ...]

    async def find_flows(self, executed: Notebook) -> list[tuple[LiveFlow, WrittenRegistration]]:
        """Return each selected flow of the executed file with its choices.

        Raises:
            FlowNotFound: the file does not define such a flow, or defines none.
            FlowAmbiguous: two flows have the name, or would become the same deployment.
        """
        chosen = [
            (flow, choice)
            for name, choice in self.choices
            for flow in await executed.find_flows([name] if name else [])
        ]
        _refuse_same_deployment(chosen, executed, self.path)
        return chosen


def select_flows(path: str, flows: Sequence[str], choice: WrittenRegistration) -> list[FlowSelection]:
    """Return the files and flows that a path on the command line selects.

    Args:
        path: a notebook, a Python file, such a file with `:flow`, or a folder.
        flows: names given by `--flow`.
        choice: the choices from the flags. For a folder, each notebook contains its own choices.

    Raises:
        BadRequest: there is nothing to register, or a flag does not apply to a folder.
    """
    if Path(path).is_dir():
        if flows or choice != WrittenRegistration():
            raise BadRequest(
                f"Registration flags do not apply to the folder {path}: the %register_flow lines of its notebooks decide.",
                fix="Leave out these flags.",
            )
        return list(_select_in_folder(Path(path)))
    file, _, flow = path.rpartition(":") if path.rpartition(":")[0].endswith(".py") else (path, "", "")
    names = [flow] if flow else [*flows]
    return [FlowSelection(Path(file), tuple((name, choice) for name in names or [""]))]


def report_skipped_cells(executed: Notebook, selection: FlowSelection, *, as_json: bool) -> None:
    """Print how many cells were not executed, unless the output is JSON or there are none."""
    if executed.skipped_count and not as_json:
        cells = "1 cell" if executed.skipped_count == 1 else f"{executed.skipped_count} cells"
        print(f"{selection.path}: {cells} left out (skip-registering)", flush=True)


def _refuse_same_deployment(
    chosen: Iterable[tuple[LiveFlow, WrittenRegistration]], executed: Notebook, path: Path
) -> None:
    """Refuse two flows of which the second would replace the first as the next version of one deployment."""
    first: dict[tuple[str, str], LiveFlow] = {}
    for flow, choice in chosen:
        key = flow.name, choice.name or flow.name
        other = first.setdefault(key, flow)
        if other.variable != flow.variable:
            both = " and ".join(_describe_flow(each, executed) for each in (other, flow))
            raise FlowAmbiguous(
                f"Two flows of {path} would become the same deployment {'/'.join(key)}: {both}.",
                fix=f"Rename one of them with @flow(name=…), or choose one: --flow {flow.variable}.",
            )


def _describe_flow(flow: LiveFlow, executed: Notebook) -> str:
    cell = executed.cell_of(flow)
    return flow.variable if cell is None else f"{flow.variable} (cell {cell})"


def _select_in_folder(folder: Path) -> Iterator[FlowSelection]:
    found = False
    for path in sorted(folder.rglob("*.ipynb")):
        if SKIPPED_FOLDERS.isdisjoint(path.relative_to(folder).parts) and (choices := _read_register_lines(path)):
            found = True
            yield FlowSelection(path, choices)
    if not found:
        raise BadRequest(f"No notebook in {folder} has a %register_flow.", fix="Add one to a cell of a notebook.")


def _read_register_lines(path: Path) -> tuple[tuple[str, WrittenRegistration], ...]:
    """Read the flows and choices from the `%register_flow` lines of a notebook."""
    choices: list[tuple[str, WrittenRegistration]] = []
    for text in _code_cells(notebook.read_notebook(path)):
        for line in REGISTER_LINE.finditer(text):
            parsed = parse_line(line["words"])
            if parsed.flow is not None and not (parsed.help or parsed.check):
                choices.append((parsed.flow, parsed.registration))
    return tuple(choices)


def _code_cells(document: nbformat.NotebookNode) -> list[str]:
    return [str(cell.source) for cell in document.cells if cell.cell_type == "code"]


async def reference_git_file(packed: PackedFlow, path: Path) -> PackedFlow:
    """Replace the pickled flow in the content by a reference to its file in git.

    Args:
        packed: the packed flow.
        path: the file that defines the flow.

    Raises:
        NotInGit: a run could not load it from the repository; the message contains the reason and the fix.
        CommitNotFetched: the commit cannot be fetched from the repository.
    """
    git = locate_in_git(path)
    await _test_load(git, packed)
    body = Path(packed.body)
    body.write_text(git.model_dump_json(), "utf-8")
    return packed.model_copy(update={"git": git, "size": body.stat().st_size})


def locate_in_git(path: Path) -> GitFile:
    """Return the repository, commit and path from which a run loads the file.

    Raises:
        NotInGit: it is not a Python file, not in a repository, not committed, or not pushed.
    """
    if path.suffix != ".py":
        raise NotInGit(
            f"{path} is not a .py file, and --storage git works only with .py files.", fix="Leave out --storage git."
        )
    folder = path.resolve().parent
    root, commit = _run_git(folder, "rev-parse", "--show-toplevel"), _run_git(folder, "rev-parse", "--verify", "HEAD")
    if not root or not commit:
        raise NotInGit(
            f"{path} is not in a git repository that has a commit.", fix="Leave out --storage git, or commit it."
        )
    inside = path.resolve().relative_to(Path(root).resolve()).as_posix()
    if not _run_git(folder, "ls-files", "--", path.name):
        raise NotInGit(f"git does not track {inside}.", fix=f"git add {inside}, commit and push.")
    if changed := _run_git(folder, "status", "--porcelain", "--untracked-files=no"):
        raise NotInGit(
            f"The repository of {path} has uncommitted changes:\n{changed}",
            fix="Commit and push them: a run loads only what is in the repository.",
        )
    repository = _remote_address(folder, path)
    if not _run_git(folder, "branch", "--remotes", "--contains", commit):
        raise NotInGit(f"Commit {commit[:12]} is not on any branch of {repository}.", fix="Push it: git push.")
    tree = _run_git(folder, "rev-parse", "--verify", "HEAD:./")
    return GitFile(repository=repository, commit=commit, path=inside, tree=tree)


def without_credentials(address: str) -> str:
    """Return a remote's address without credentials: in a CI job it often contains a token."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _remote_address(folder: Path, path: Path) -> str:
    """Return the address of `origin`, or of the only remote."""
    names = _run_git(folder, "remote").split()
    name = "origin" if "origin" in names or len(names) != 1 else names[0]
    address = _run_git(folder, "remote", "get-url", name)
    if not address:
        raise NotInGit(
            f"The repository of {path} has no remote {name!r} to load from.", fix="git remote add origin ADDRESS"
        )
    return without_credentials(address)


async def _test_load(git: GitFile, packed: PackedFlow) -> None:
    """Load the flow as a run does: from a checkout in an empty folder, with the same interpreter."""
    with tempfile.TemporaryDirectory(dir=Path(packed.body).parent) as folder:
        await from_git.check_out(git, Path(folder))
        words = (git.model_dump_json(), packed.flow.variable, folder)
        try:
            done = await run_code(
                packed.environment.executable, LOAD_CODE, *words, folder=folder, limit=MAX_LOAD_SECONDS
            )
        except ProcessStopped as stopped:
            raise NotInGit(
                f"Importing {git.path} from commit {git.commit[:12]} did not finish: {stopped.reason}.", fix=stopped.fix
            ) from None
    if done.code:
        raise NotInGit(
            f"{git.path} cannot be imported from commit {git.commit[:12]}: {done.reason}",
            fix="Commit and push all modules that it imports from the same folder." if done.lacks_module else None,
        )


def _run_git(folder: Path, *words: str) -> str:
    """Run git and return its output; an empty string if it fails."""
    return (run_git(folder, *words, timeout=GIT_TIMEOUT) or "").strip()
