"""The bridge to notebook kernels: lists their flows, and packs one of them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from jupyter_server.services.kernels.kernelmanager import MappingKernelManager, ServerKernelManager

from satflow_ext import kernel_calls, scratch
from satflow_ext.errors import KernelNotFound, KernelNotPython, KernelUnavailable
from satflow_ext.models import FlowList, PackedFlow, Preflight, RegisterRequest
from satflow_ext.server.kernel_request import KernelRequest
from satflow_ext.server.stack_manager import StackManager


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
        call = kernel_calls.build_pack_call(
            request.variable, request.parameters, request.schedule.kind != "none", str(folder), request.include
        )
        try:
            packed = PackedFlow.model_validate(await self._send_request(request.kernel_id, call))
            yield _check_packed_path(folder, packed)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

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
