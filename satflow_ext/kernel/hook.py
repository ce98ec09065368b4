"""Push of the list of flows to the browser when it changed after a cell.

Uses one `post_run_cell` callback and one send-only comm. It runs only between cells, so it does not affect the user's figures
or the kernel's busy state, and it adds nothing to the namespace, `In`, `Out` or the history. It imports neither pydantic nor
prefect: a kernel with a flow has imported both.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from satflow_ext.kernel.flow_discovery import Shell, cell_callback, live_flows, notebook_path

if TYPE_CHECKING:
    from satflow_ext.kernel.describe import FlowDescriber
    from satflow_ext.models import FlowList, LiveFlow

COMM_TARGET = "satflow"
log = logging.getLogger(__name__)


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
