"""The bridge to notebook kernels: lists their flows, and packs one of them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import cast

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.session import Session
from jupyter_server.auth.decorator import authorized
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager, ServerKernelManager
from tornado import web

from satflow_ext import kernel_calls, scratch
from satflow_ext.errors import KernelBusy, KernelDied, KernelNotFound, KernelNotPython, KernelUnavailable
from satflow_ext.models import DebugCell, DebugRequest, FlowList, PackedFlow, Preflight, RegisterRequest
from satflow_ext.server.base_handler import SatflowHandler
from satflow_ext.server.stack import StackManager

POLL_INTERVAL = 0.05
"""Seconds between two reads of a kernel's state, which the Jupyter server keeps in memory."""
WELCOME_SECONDS = 0.3
"""Seconds to wait for iopub's welcome message (sent since ipykernel 7): earlier messages are not received."""
START_SECONDS = 60.0
"""Seconds to wait for a starting kernel: its imports take long on a busy machine."""
REPLY_SECONDS = 600.0
"""Seconds to wait for the reply once the kernel executes the request: pickling of large data takes long."""


class KernelBridge:
    """Sends requests to kernels of this Jupyter server, and never while they run a cell.

    Args:
        kernel_manager: the server's kernel manager.
        stack: provides the settings with the patience and the folder for packed flows.
    """

    def __init__(self, kernel_manager: MappingKernelManager, stack: StackManager) -> None:
        self._kernel_manager = kernel_manager
        self._stack = stack

    async def list_flows(self, kernel_id: str) -> FlowList:
        """List the flows of a kernel, which pushes changes of them from now on.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelUnavailable: it is busy, dead, not Python, or lacks a package.
        """
        return FlowList.model_validate(await self._send_request(kernel_id, kernel_calls.build_flows_call()))

    async def read_preflight(self, request: RegisterRequest) -> Preflight:
        """Report the captured objects of a flow.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelUnavailable: it is busy, dead, not Python, or lacks a package.
            FlowNotFound: it has no such flow.
        """
        call = kernel_calls.build_preflight_call(request.variable, request.include)
        return Preflight.model_validate(await self._send_request(request.kernel_id, call))

    @asynccontextmanager
    async def pack_flow(self, request: RegisterRequest) -> AsyncIterator[PackedFlow]:
        """Pack a flow in its kernel; the file with the pickle is removed after the block.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelUnavailable: it is busy, dead, not Python, or lacks a package.
            FlowNotFound: it has no such flow.
            CannotPickle: an object that the flow reaches cannot be pickled.
            InvalidInclude: data files cannot be packed.
            ContentTooLarge: the flow and its captured objects are larger than the limit.
        """
        folder = await asyncio.to_thread(scratch.make_scratch_folder, self._stack.settings, "pack")
        no_texts: dict[str, str] = {}
        call = kernel_calls.build_pack_call(
            request.variable,
            request.parameters,
            [(schedule.parameters, no_texts) for schedule in request.schedules],
            str(folder),
            request.include,
        )
        try:
            packed = PackedFlow.model_validate(await self._send_request(request.kernel_id, call))
            yield _check_packed_path(folder, packed)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def debug_run(self, run_id: str, request: DebugRequest) -> DebugCell:
        """Load a run into a kernel.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelUnavailable: it is busy, dead, not Python, or lacks a package.
            SatflowError: see `kernel.debug_run.debug_run`.
        """
        call = kernel_calls.build_debug_call(run_id, request.task)
        return DebugCell.model_validate(await self._send_request(request.kernel_id, call))

    def find_interpreter(self, kernel_id: str) -> Path:
        """Return the interpreter of a kernel from its kernel specification.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelNotPython: its language is not Python.
        """
        kernel = self._get_kernel(kernel_id)
        _check_language(kernel)
        return Path(kernel.format_kernel_cmd()[0])

    async def _send_request(self, kernel_id: str, user_expressions: Mapping[str, str]) -> dict[str, object]:
        kernel = self._get_kernel(kernel_id)
        question = KernelRequest(self._kernel_manager, kernel_id, self._stack.settings.kernel_patience)
        _check_language(kernel)
        return kernel_calls.parse_reply(await question.send(user_expressions))

    def _get_kernel(self, kernel_id: str) -> ServerKernelManager:
        if kernel_id not in self._kernel_manager:
            raise KernelNotFound(f"No kernel has the id {kernel_id!r}.", fix="Start the notebook's kernel.")
        return cast(ServerKernelManager, self._kernel_manager.get_kernel(kernel_id))


def _check_language(kernel: ServerKernelManager) -> None:
    spec = kernel.kernel_spec
    if spec is not None and spec.language.lower() != "python":
        raise KernelNotPython(
            f"The language of the kernel {spec.display_name!r} is {spec.language}, but flows need Python.",
            fix="Open a notebook with a Python kernel.",
        )


def _check_packed_path(folder: Path, packed: PackedFlow) -> PackedFlow:
    """Check that the packed flow is in the folder that was passed to the kernel; other files are not read."""
    body = Path(packed.body)
    if body.resolve().parent != folder.resolve() or not all(map(_is_file, (body, *packed.list_copies()))):
        raise KernelUnavailable(
            f"The kernel did not write the packed flow to {folder} on the Jupyter server's machine.",
            fix="Kernels must run on the same machine and as the same user as the Jupyter server.",
        )
    return packed


def _is_file(path: Path) -> bool:
    """Return whether the path is a regular file and not a symbolic link."""
    return path.is_file() and not path.is_symlink() and not path.parent.is_symlink()


class KernelRequest:
    """A silent `execute_request` that only evaluates `user_expressions`.

    Args:
        kernel_manager: the server's kernel manager.
        kernel_id: id of one of its kernels.
        patience: seconds to wait until the kernel is idle.
    """

    def __init__(self, kernel_manager: MappingKernelManager, kernel_id: str, patience: float) -> None:
        self._kernel_manager = kernel_manager
        self._kernel_id = kernel_id
        self._patience = patience
        self._kernel = cast(ServerKernelManager, kernel_manager.get_kernel(kernel_id))
        self._original_process = self._find_process()

    async def send(self, user_expressions: Mapping[str, str]) -> Mapping[str, object]:
        """Send the request and return the `user_expressions` of the reply.

        Raises:
            KernelBusy: the kernel ran a cell for longer than `patience`, or it is still starting.
            KernelDied: the kernel died or was restarted before it replied.
        """
        deadline = monotonic() + (START_SECONDS if self._is_starting() else self._patience)
        # Two clients of one session share one ZMQ identity, so that one of them would get the replies of the other.
        client = self._kernel.client(session=Session(key=self._kernel.session.key))
        client.start_channels(stdin=False, hb=False, control=False)
        try:
            await self._wait_for_welcome(client)
            while True:
                await self._wait_until_idle(deadline)
                content = await self._wait_for_reply(client, user_expressions, deadline)
                # A request that was queued behind a failing cell is aborted with the rest of the queue.
                if content["status"] != "aborted":
                    return cast(Mapping[str, object], content.get("user_expressions", {}))
        finally:
            client.stop_channels()

    async def _wait_for_welcome(self, client: AsyncKernelClient) -> None:
        await client.iopub_channel.socket.poll(int(WELCOME_SECONDS * 1000))

    async def _wait_until_idle(self, deadline: float) -> None:
        """Wait until no cell runs; during a cell, a kernel would mix our reply into the cell's output.

        A starting kernel receives the request at once, and replies when it is ready: the server may have missed its first
        messages, and then regards it as starting until it executes something.
        """
        while (state := self._read_state()) in ("busy", "dead"):
            if state == "dead":
                raise _died_error()
            if monotonic() > deadline:
                raise _busy_error()
            await asyncio.sleep(POLL_INTERVAL)

    async def _wait_for_reply(
        self, client: AsyncKernelClient, user_expressions: Mapping[str, str], deadline: float
    ) -> dict[str, object]:
        request_id = client.execute(
            "", silent=True, store_history=False, user_expressions=dict(user_expressions), stop_on_error=False
        )
        begun = False
        end = monotonic() + REPLY_SECONDS
        while monotonic() < end:
            if await client.shell_channel.socket.poll(int(POLL_INTERVAL * 1000)):
                reply = await client.get_shell_msg()
                if reply["parent_header"].get("msg_id") == request_id:
                    return cast(dict[str, object], reply["content"])
            self._check_alive()
            begun = begun or await self._has_begun(client, request_id)
            if not begun and monotonic() > deadline:
                raise _starting_error() if self._is_starting() else _busy_error()
        raise _busy_error()

    async def _has_begun(self, client: AsyncKernelClient, message_id: str) -> bool:
        """Return whether the kernel executes our request, as opposed to an earlier cell."""
        while await client.iopub_channel.msg_ready():
            message = await client.get_iopub_msg()
            if message["parent_header"].get("msg_id") == message_id:
                return True
        return False

    def _check_alive(self) -> None:
        if (
            self._kernel_id not in self._kernel_manager
            or self._find_process() is not self._original_process
            or self._read_state() == "dead"
        ):
            raise _died_error()

    def _is_starting(self) -> bool:
        return self._read_state() not in ("idle", "busy", "dead")

    def _read_state(self) -> str:
        return self._kernel.execution_state or "unknown"

    def _find_process(self) -> object:
        """Return the process of the kernel, if this server has one: another one after a restart."""
        return getattr(self._kernel.provisioner, "process", None)


def _busy_error() -> KernelBusy:
    return KernelBusy(
        "The kernel is running a cell.", fix="Wait until the cell has ended, or interrupt it, and try again."
    )


def _starting_error() -> KernelBusy:
    return KernelBusy("The kernel is still starting.", fix="Try again when it is idle; if it stays so, restart it.")


def _died_error() -> KernelDied:
    return KernelDied("The kernel died or was restarted before it answered.", fix="Run the notebook's cells again.")


class KernelFlowsHandler(SatflowHandler):
    """The flows of one kernel."""

    def initialize(self, kernels: KernelBridge) -> None:
        """Keep the bridge to kernels of this server."""
        self._kernels = kernels

    @web.authenticated
    @authorized(action="execute", resource="satflow_ext:flows")
    async def get(self, kernel_id: str) -> None:
        """Reply with the FlowList. Needs `execute`, because the request makes the kernel push changes from now on."""
        self.reply(await self._kernels.list_flows(kernel_id))
