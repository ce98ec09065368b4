"""Recording of the notebook's setup cells as they are executed. Imports only the standard library until there is one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from inspect import CO_COROUTINE
from types import CodeType
from typing import TYPE_CHECKING, Any

from satflow_ext.cell_marks import is_setup
from satflow_ext.kernel.flow_discovery import cell_callback

if TYPE_CHECKING:
    from satflow_ext.setup_cells import SetupCell

ALLOW_TOP_LEVEL_AWAIT = 0x2000
"""`ast.PyCF_ALLOW_TOP_LEVEL_AWAIT`."""
log = logging.getLogger(__name__)


class SetupRecorder:
    """The setup cells of one shell, in the order of their last execution, each with the names that it defined."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._recorded: dict[str, tuple[SetupCell, dict[str, object]]] = {}

    def after_cell(self, result: Any) -> None:
        """Record the cell that has just been executed. Never raises: a cell must not fail because of SatFlow."""
        try:
            self._record_executed(result)
        except Exception:
            log.warning(
                "SatFlow could not check whether this cell is a setup cell. Run it again if it is.", exc_info=True
            )

    def add_loaded(self, loaded: tuple[SetupCell, ...]) -> None:
        """Record the setup cells of a flow that was loaded from the store, which have just run here."""
        known = [cell for cell, _ in self._recorded.values()]
        for cell in loaded:
            if cell not in known:
                self._record_cell(cell.file, cell)
        self._define_cells()

    def _record_executed(self, result: Any) -> None:
        info, metadata = result.info, self._cell_metadata()
        had_some = bool(self._recorded)
        self._remove_deleted(metadata.get("deletedCells") or ())
        key = getattr(info, "cell_id", None) or info.raw_cell
        self._recorded.pop(key, None)
        if result.success and is_setup(info.raw_cell, metadata.get("tags") or ()):
            self._record_cell(key, self._build_cell(info.raw_cell))
        if self._recorded or had_some:
            self._define_cells()

    def _record_cell(self, key: str, cell: SetupCell) -> None:
        from satflow_ext.setup_cells import read_definitions

        self._recorded[key] = cell, read_definitions(cell, self._shell.user_ns)

    def _remove_deleted(self, deleted: Iterable[str]) -> None:
        """Remove deleted cells, and cells whose names no longer exist because the namespace was cleared."""
        names = self._shell.user_ns.keys()
        for key, (_, defined) in list(self._recorded.items()):
            if key in deleted or (defined and names.isdisjoint(defined)):
                del self._recorded[key]

    def _define_cells(self) -> None:
        from satflow_ext import setup_cells

        setup_cells.record_cells(dict(self._recorded.values()))

    def _cell_metadata(self) -> dict[str, Any]:
        """Return the cell's metadata from the browser; empty for a shell without a kernel, or for another client."""
        kernel = getattr(self._shell, "kernel", None)
        parent = kernel.get_parent("shell") if kernel is not None else {}
        return parent.get("metadata") or {}

    def _build_cell(self, raw: str) -> SetupCell:
        from satflow_ext.setup_cells import SetupCell

        text = self._shell.transform_cell(raw)
        return SetupCell(self._shell.compile.get_code_name(raw, text, self._shell.execution_count - 1), text)


def recorder_of(shell: Any) -> SetupRecorder:
    """Return the only recorder of a shell, which records its setup cells from the first call on."""
    return cell_callback(shell, SetupRecorder)


def compile_cell(cell: SetupCell) -> CodeType:
    """Compile a cell as IPython does, which allows top-level `await`."""
    code: CodeType = compile(cell.text, cell.file, "exec", ALLOW_TOP_LEVEL_AWAIT)
    return code


def find_problem(cell: SetupCell) -> str | None:
    """Return the reason why a cell cannot run in a flow run; None if there is no known problem."""
    code = compile_cell(cell)
    if "get_ipython" in code.co_names:
        return "has a magic or a ! command, and a flow run has no IPython"
    return "awaits outside a function" if code.co_flags & CO_COROUTINE else None
