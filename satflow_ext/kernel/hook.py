"""What SatFlow adds to the shell of a kernel: magics, their completion, and the push of the list of flows to the browser.

The push uses one `post_run_cell` callback and one send-only comm. It runs only between cells, so it does not affect the user's
figures or the kernel's busy state, and it adds nothing to the namespace, `In`, `Out` or the history.

A kernel imports it when it starts, so it imports neither pydantic nor prefect. A kernel with a flow has imported both.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from satflow_ext.cell_marks import SETUP_MAGIC, SKIP_PATTERN
from satflow_ext.kernel.flow_discovery import Shell, cell_callback, live_flows, notebook_path

if TYPE_CHECKING:
    from satflow_ext.kernel.describe import FlowDescriber
    from satflow_ext.models import FlowList, LiveFlow

COMM_TARGET = "satflow"
log = logging.getLogger(__name__)


def attach_to_shell(shell: Any) -> None:
    """Register the magics and the hook with an IPython shell. They import their implementation on first use."""
    from IPython.core.magic import no_var_expand

    from satflow_ext.kernel.local_runs import provide_local_api
    from satflow_ext.kernel.setup_cell_recorder import recorder_of

    shell.register_magic_function(no_var_expand(_register_flow), "line", "register_flow")
    shell.register_magic_function(no_var_expand(_load_flow), "line", "load_flow")
    shell.register_magic_function(no_var_expand(_run_flow), "line", "run_flow")
    shell.register_magic_function(no_var_expand(_debug_run), "line", "debug_run")
    shell.register_magic_function(no_var_expand(_dask_cluster), "line", "dask_cluster")
    if _blank_marker_line not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_blank_marker_line)
    shell.set_hook("complete_command", _complete_line, str_key="%register_flow")
    recorder_of(shell)
    hook_of(shell)
    provide_local_api()


class FlowListHook:
    """The callback of one shell, with the list that it last sent."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._descriptions: FlowDescriber | None = None
        self._comm: Any = None
        self._sent: tuple[LiveFlow, ...] = ()

    def after_cell(self, *_: object) -> None:
        """Send the list if it changed since the last time. Never raises: a cell must not fail because of SatFlow."""
        if self._comm is None or not (self._sent or "prefect.flows" in sys.modules):
            return
        try:
            self._send_changes()
        except Exception:
            log.debug("The list of flows could not be sent to the browser.", exc_info=True)

    def list_flows(self) -> tuple[LiveFlow, ...]:
        """Return the current flows of the kernel."""
        found = live_flows(self._shell.user_ns)
        if not found and self._descriptions is None:
            return ()
        if self._descriptions is None:
            from satflow_ext.kernel.describe import FlowDescriber

            self._descriptions = FlowDescriber()
        return self._descriptions.describe_flows(found, self._shell)

    def open_comm(self) -> FlowList:
        """Open the comm, also if it is open already, since each page that loads needs the message. Return the current list."""
        flow_list = _build_flow_list(self.list_flows())
        try:
            self._send_open(flow_list)
        except Exception:
            log.debug("The comm to the browser could not be opened.", exc_info=True)
        self._sent = flow_list.flows
        return flow_list

    def _send_open(self, flow_list: FlowList) -> None:
        if getattr(self._shell, "kernel", None) is None:
            return
        data = flow_list.model_dump(mode="json")
        if self._comm is None:
            from comm import create_comm

            self._comm = create_comm(target_name=COMM_TARGET, data=data)
        else:
            self._comm.open(data=data)

    def _send_changes(self) -> None:
        flows = self.list_flows()
        if flows != self._sent:
            self._comm.send(data=_build_flow_list(flows).model_dump(mode="json"))
            self._sent = flows


def hook_of(shell: Shell) -> FlowListHook:
    """Return the only hook of a shell; the first call creates and registers it."""
    return cell_callback(shell, FlowListHook)


def start_push(shell: Shell) -> FlowList:
    """Start to push changes, or announce the push again to a new page. Return the current flows."""
    return hook_of(shell).open_comm()


def _build_flow_list(flows: tuple[LiveFlow, ...]) -> FlowList:
    from datetime import datetime, timezone

    from satflow_ext.models import FlowList

    notebook = notebook_path()
    file = os.path.realpath(notebook) if notebook and os.path.isabs(notebook) else notebook
    return FlowList(flows=flows, at=datetime.now(timezone.utc), notebook=file)


def _blank_marker_line(lines: list[str]) -> list[str]:
    """Blank the first line of a cell if it is `%%skip_registering` or `%%flow_setup`, so that the rest runs normally."""
    return ["\n", *lines[1:]] if lines and (SKIP_PATTERN.match(lines[0]) or SETUP_MAGIC.match(lines[0])) else lines


def _register_flow(line: str) -> Any:
    """Register a flow as a Prefect deployment; see `%register_flow --help`."""
    from satflow_ext.kernel.magics import register_flow

    return register_flow(line)


def _load_flow(line: str) -> Any:
    """Load a registered flow into the notebook; see `%load_flow --help`."""
    from satflow_ext.kernel.magics import load_flow

    return load_flow(line)


def _run_flow(line: str) -> Any:
    """Start a run of a registered flow; see `%run_flow --help`."""
    from satflow_ext.kernel.magics import run_flow

    return run_flow(line)


def _debug_run(line: str) -> Any:
    """Load a failed run into the notebook; see `%debug_run --help`."""
    from satflow_ext.kernel.magics import debug_run

    return debug_run(line)


def _dask_cluster(line: str) -> Any:
    """Manage the shared cluster of a deployment; see `%dask_cluster --help`."""
    from satflow_ext.kernel.magics import dask_cluster

    return dask_cluster(line)


def _complete_line(shell: Any, event: Any) -> list[str]:
    from satflow_ext.kernel.magics import complete_line

    return complete_line(shell, event)
