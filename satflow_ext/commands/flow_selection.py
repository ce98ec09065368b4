"""The flows that `satflow register PATH` registers: those of one file, or of the `%register_flow` lines in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from satflow_ext.choices.register_line import parse_line
from satflow_ext.commands import notebook
from satflow_ext.commands.notebook import Notebook
from satflow_ext.errors import BadRequest, FlowAmbiguous
from satflow_ext.models import LiveFlow, WrittenRegistration

REGISTER_LINE = re.compile(r"^[ \t]*%register_flow[ \t]+(?P<words>.+?)[ \t]*$", re.MULTILINE)
SKIPPED_FOLDERS = frozenset({".ipynb_checkpoints", "node_modules", ".venv", ".git"})


@dataclass(frozen=True)
class FlowSelection:
    """A file and the flows to register from it: pairs of a flow's name and its choices. An empty name means all flows."""

    path: Path
    choices: tuple[tuple[str, WrittenRegistration], ...]

    async def find_flows(self, executed: Notebook) -> list[tuple[LiveFlow, WrittenRegistration]]:
        """Return each selected flow of the executed file with its choices.

        Raises:
            FlowNotFound: there is no such flow, or no flow at all.
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
