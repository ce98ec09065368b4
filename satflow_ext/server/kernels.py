"""The bridge to notebook kernels: which flows live there, and packing one of them."""

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
from satflow_ext.server.kernel_request import KernelQuestion
from satflow_ext.server.stack import StackManager


class KernelBridge:
    """Asks kernels of this Jupyter server, and never while they run a cell.

    Args:
        kernel_manager: the server's.
        stack: knows the settings: patience and the folder for packed flows.
    """

    def __init__(self, kernel_manager: MappingKernelManager, stack: StackManager) -> None:
        self._kernel_manager = kernel_manager
        self._stack = stack

    async def flows(self, kernel_id: str) -> FlowList:
        """The flows of a kernel, which pushes changes of them from now on.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelUnavailable: it is busy, dead, not Python, or lacks a package.
        """
        return FlowList.model_validate(await self._ask(kernel_id, kernel_calls.flows_call()))

    async def preflight(self, request: RegisterRequest) -> Preflight:
        """What would travel with a flow.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelUnavailable: it is busy, dead, not Python, or lacks a package.
            FlowNotFound: it has no such flow.
        """
        call = kernel_calls.preflight_call(request.variable, request.include)
        return Preflight.model_validate(await self._ask(request.kernel_id, call))

    @asynccontextmanager
    async def packed(self, request: RegisterRequest) -> AsyncIterator[PackedFlow]:
        """A flow as its kernel packed it; the file with its pickle is gone after the block.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelUnavailable: it is busy, dead, not Python, or lacks a package.
            FlowNotFound: it has no such flow.
            CannotPickle: something the flow reaches cannot travel.
            InvalidInclude: data files cannot travel.
            ContentTooLarge: what the flow captures is larger than the limit.
        """
        folder = await asyncio.to_thread(scratch.make, self._stack.settings, "pack")
        call = kernel_calls.pack_call(
            request.variable, request.parameters, request.schedule.kind != "none", str(folder), request.include
        )
        try:
            packed = PackedFlow.model_validate(await self._ask(request.kernel_id, call))
            yield _inside(folder, packed)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def interpreter(self, kernel_id: str) -> Path:
        """The interpreter that a kernel was started with, as its specification names it.

        Raises:
            KernelNotFound: no kernel has that id.
            KernelNotPython: it speaks another language.
        """
        kernel = self._kernel(kernel_id)
        _check_language(kernel)
        return Path(kernel.format_kernel_cmd()[0])

    async def _ask(self, kernel_id: str, user_expressions: Mapping[str, str]) -> dict[str, object]:
        kernel = self._kernel(kernel_id)
        question = KernelQuestion(self._kernel_manager, kernel_id, self._stack.settings.kernel_patience)
        _check_language(kernel)
        return kernel_calls.read_reply(await question.ask(user_expressions))

    def _kernel(self, kernel_id: str) -> ServerKernelManager:
        if kernel_id not in self._kernel_manager:
            raise KernelNotFound(f"No kernel has the id {kernel_id!r}.", fix="Start the notebook's kernel.")
        return cast(ServerKernelManager, self._kernel_manager.get_kernel(kernel_id))


def _check_language(kernel: ServerKernelManager) -> None:
    spec = kernel.kernel_spec
    if spec is not None and spec.language.lower() != "python":
        raise KernelNotPython(
            f"The kernel {spec.display_name!r} speaks {spec.language}; flows are Python.",
            fix="Open a notebook with a Python kernel.",
        )


def _inside(folder: Path, packed: PackedFlow) -> PackedFlow:
    """What a kernel says is read only where it was told to write."""
    body = Path(packed.body)
    if body.resolve().parent != folder.resolve() or not all(map(_is_file, (body, *packed.copies()))):
        raise KernelUnavailable(
            "The kernel did not put the packed flow where this server can read it.",
            fix="Kernels must run on the same machine and as the same user as the Jupyter server.",
        )
    return packed


def _is_file(path: Path) -> bool:
    """Whether a file is there, and no link to one."""
    return path.is_file() and not path.is_symlink() and not path.parent.is_symlink()
