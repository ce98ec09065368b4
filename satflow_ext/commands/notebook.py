"""A notebook executed from its first cell to its last in a fresh kernel, or a Python file imported in one, to pack its flows."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

from satflow_ext import kernel_calls
from satflow_ext.cell_marks import SETUP_TAG, SKIP_PATTERN, is_setup
from satflow_ext.commands import interrupts
from satflow_ext.commands.cell_progress import CellProgress
from satflow_ext.endpoints import Endpoints, is_on_loopback
from satflow_ext.errors import BadRequest, FlowAmbiguous, FlowNotFound, KernelDied, NotebookFailed
from satflow_ext.models import FlowList, LiveFlow, PackedFlow, Preflight, Registration, WrittenRegistration
from satflow_ext.settings import LOCAL_PREFECT

IMPORT_CODE = """\
import {name} as _file
if not _file.__file__ or not __import__("os").path.samefile(_file.__file__, {place!r}):
    raise ImportError("another module has the name {name}: " + str(_file))
globals().update({{name: each for name, each in vars(_file).items() if not name.startswith("_")}})
"""
START_SECONDS = 600
"""Maximum seconds until a kernel answers; a kernel that ends earlier is detected at once."""

REPLY_SECONDS = 0.6
"""Maximum seconds for an interrupted cell to end."""

END_SECONDS = 0.8
"""Maximum seconds for a kernel to end after a signal to the command."""

KERNEL_FIX = "Start the kernel in JupyterLab to see its messages, or choose another one with --kernel."

Result = TypeVar("Result")

ANSI_COLOR = re.compile(r"\x1b\[[0-9;]*m")


class Notebook:
    """An executed notebook whose kernel is still running.

    Args:
        path: the notebook's file.
        client: nbclient's client, with its kernel.
    """

    def __init__(self, path: Path, client: NotebookClient) -> None:
        self._path = path
        self._client = client

    @property
    def skipped_count(self) -> int:
        """The number of cells that were skipped because of `skip-registering`."""
        return sum(map(_is_skipped, self._client.nb.cells))

    async def find_flows(self, names: list[str]) -> list[LiveFlow]:
        """Return the flows with these names (or variables), or all flows if no name is given.

        Raises:
            FlowNotFound: there is no such flow, or no flow at all.
            FlowAmbiguous: two flows have the name.
        """
        found = FlowList.model_validate(await self._evaluate(kernel_calls.build_flows_call())).flows
        if not found:
            raise FlowNotFound(f"{self._path} defines no flow.", fix="Decorate a function with @flow.")
        return [_find_flow(name, found, self._path) for name in names] if names else list(found)

    def cell_of(self, flow: LiveFlow) -> int | None:
        """Return the position, from 1, of the cell that defined the flow; None if the flow is from a module."""
        counts = [cell.get("execution_count") for cell in self._client.nb.cells]
        return counts.index(flow.cell) + 1 if flow.cell is not None and flow.cell in counts else None

    async def preflight(self, flow: LiveFlow, choice: Registration) -> Preflight:
        """Return the kernel's part of the pre-flight report on a flow."""
        call = kernel_calls.build_preflight_call(flow.variable, choice.include)
        return Preflight.model_validate(await self._evaluate(call))

    async def pack(self, flow: LiveFlow, choice: WrittenRegistration, folder: Path) -> PackedFlow:
        """Pack a flow and its data files into a folder.

        Raises:
            CannotPickle: it reaches an object that cannot be pickled.
            ContentTooLarge: the captured objects are too large.
            InvalidParameter: a parameter's value does not fit.
            InvalidInclude: data files cannot be packed.
        """
        call = kernel_calls.build_pack_call(
            flow.variable,
            choice.parameters,
            choice.list_schedule_parameters(),
            str(folder),
            choice.include,
            choice.parameter_texts,
        )
        reply = await self._evaluate(call)
        packed = PackedFlow.model_validate(reply)
        return packed.model_copy(update={"source": packed.source.model_copy(update={"notebook": str(self._path)})})

    async def _evaluate(self, expressions: dict[str, str]) -> Any:
        """Evaluate expressions in the kernel, silently."""
        kernel_client = self._client.kc
        assert kernel_client is not None
        message_id = kernel_client.execute("", silent=True, store_history=False, user_expressions=expressions)
        died = KernelDied(f"The kernel of {self._path} died.", fix="Check how much memory its last cell uses.")
        try:
            reply = await _await_in_task(self._client.async_wait_for_reply(message_id))
        except DeadKernelError:
            raise died from None
        if reply is None:
            raise died
        return kernel_calls.parse_reply(reply["content"]["user_expressions"])


@asynccontextmanager
async def execute_notebook(
    path: Path,
    *,
    kernel: str | None,
    cell_timeout: float | None,
    endpoints: Endpoints | None = None,
    progress: CellProgress | None = None,
) -> AsyncIterator[Notebook]:
    """Execute a notebook in its own folder, and end its kernel after the block.

    Cells with the tag `skip-registering`, or whose first line is `%%skip_registering`, are skipped.

    Args:
        path: the notebook's file.
        kernel: name of the kernelspec (default: the notebook's own).
        cell_timeout: seconds for one cell, None for no limit.
        endpoints: the Prefect API for flows that cells run. With None, Prefect decides, and may start a server in the kernel.
        progress: reports on long-running cells (default: on stderr).

    Raises:
        BadRequest: there is no such file, or it is not a notebook.
        NotebookFailed: a cell raised.
        KernelDied: the kernel died while a cell ran.
    """
    document = read_notebook(path)
    name = kernel or _kernel_name(document)
    _check_kernel(name, path)
    resources = {"metadata": {"path": str(path.parent.resolve())}}
    with TemporaryDirectory(prefix="satflow-") as folder:
        # The kernel's sockets are files in a private folder, not ports; below /tmp, as a socket's path may have about 100 bytes.
        sockets = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})
        client = NotebookClient(
            document,
            timeout=cell_timeout,
            startup_timeout=START_SECONDS,
            kernel_name=name,
            resources=resources,
            config=sockets,
        )
        async with _running_kernel(client, path, _kernel_environment(path, endpoints)):
            _prepare_cells(document)
            reports = progress or CellProgress(sys.stderr)
            for index, cell in enumerate(document.cells):
                if not _is_skipped(cell):
                    async with reports.reporting(f"Cell {index + 1} of {path}"):
                        await _execute_cell(client, cell, index, path)
            yield Notebook(path, client)


@asynccontextmanager
async def _running_kernel(client: NotebookClient, path: Path, environment: dict[str, str]) -> AsyncIterator[None]:
    """Start a kernel for nbclient, and end it together with its child processes.

    With nbclient's own `async_setup_kernel` a signal would end the kernel and leave the command running.
    """
    manager = client.km = client.create_kernel_manager()
    with interrupts.last_resort(lambda: _kill_group(manager)):
        try:
            try:
                await client.async_start_new_kernel(env=environment)
                await client.async_start_new_kernel_client()
            except RuntimeError as error:  # also raised for a kernel that ended during startup
                raise KernelDied(f"The kernel of {path} does not start: {error}.", fix=KERNEL_FIX) from None
            except asyncio.CancelledError:
                _kill_group(manager)
                raise
            try:
                yield
            except asyncio.CancelledError:
                await _interrupt_kernel(client, manager)
                raise
        finally:
            await _end_kernel(client, manager)


async def _interrupt_kernel(client: NotebookClient, manager: KernelManager) -> None:
    """Interrupt the running cell so that its `finally` blocks run; kill a kernel that does not answer soon."""
    assert client.kc is not None
    await ensure_async(manager.interrupt_kernel())
    try:
        await ensure_async(client.kc.shell_channel.get_msg(timeout=REPLY_SECONDS))
    except Empty:
        _kill_group(manager)
    else:
        await ensure_async(manager.request_shutdown())
        await ensure_async(manager.finish_shutdown(waittime=END_SECONDS))


async def _end_kernel(client: NotebookClient, manager: KernelManager) -> None:
    try:
        if await ensure_async(manager.is_alive()):
            await ensure_async(manager.shutdown_kernel())
    finally:
        _kill_group(manager)
        await ensure_async(manager.cleanup_resources())
        if client.kc is not None:
            client.kc.stop_channels()


def _kill_group(manager: KernelManager) -> None:
    """Kill the remaining processes of the kernel, which has its own process group."""
    group = getattr(manager.provisioner, "pgid", None)
    if group is not None and group != os.getpgrp():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


async def _await_in_task(awaitable: Awaitable[Result]) -> Result:
    """Await an nbclient awaitable in a separate task: nbclient mistakes a cancellation for a dead kernel."""
    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    return task.result()


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook; for a Python file, create a notebook that imports it.

    Raises:
        BadRequest: there is no such file, or it is not a notebook.
    """
    if path.suffix == ".py":
        return _make_importing_notebook(path)
    try:
        document: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # typed in part
    except FileNotFoundError:
        raise BadRequest(f"There is no notebook {path}.", fix="Check the path.") from None
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from None
    except (ValueError, nbformat.ValidationError) as error:  # not JSON, not UTF-8, another version of the format
        reason = str(error).rstrip(".")
    except (AttributeError, KeyError, TypeError):
        reason = "its JSON is not that of a notebook"
    else:
        return document
    raise BadRequest(f"{path} is not a notebook: {reason}.", fix="Give a notebook that JupyterLab can open.")


def _make_importing_notebook(path: Path) -> nbformat.NotebookNode:
    """Create a notebook that imports a Python file. Code guarded by `__name__` does not run; the file is a local module."""
    if not path.is_file():
        raise BadRequest(f"There is no file {path}.", fix="Check the path.")
    if not path.stem.isidentifier():
        raise BadRequest(f"{path.name} cannot be imported under that name.", fix="Give it a name such as flows.py.")
    cell = nbformat.v4.new_code_cell(IMPORT_CODE.format(name=path.stem, place=str(path.resolve())))  # type: ignore[no-untyped-call]  # typed in part
    document: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    return document


def _kernel_name(document: nbformat.NotebookNode) -> str:
    """Return the name of the notebook's kernelspec, or Python's if it has none."""
    spec = document.metadata.get("kernelspec")
    return str((spec.get("name") if isinstance(spec, dict) else None) or "python3")


def _check_kernel(name: str, path: Path) -> None:
    known = KernelSpecManager().find_kernel_specs()
    if name not in known:
        raise BadRequest(
            f"{path} needs the kernel {name!r}, which is not installed here.",
            fix=f"Choose another one with --kernel: {', '.join(sorted(known))}.",
        )


def _is_skipped(cell: nbformat.NotebookNode) -> bool:
    tagged = "skip-registering" in cell.metadata.get("tags", ())
    return cell.cell_type == "code" and (tagged or SKIP_PATTERN.match(cell.source) is not None)


def _prepare_cells(document: nbformat.NotebookNode) -> None:
    """Clear execution counts of an earlier kernel, which may equal those of this one, and tags that a tool wrote as null."""
    for cell in document.cells:
        cell.metadata["tags"] = cell.metadata.get("tags") or []
        if cell.cell_type == "code":
            cell.execution_count = None


async def _execute_cell(client: NotebookClient, cell: nbformat.NotebookNode, index: int, path: Path) -> None:
    if SETUP_TAG in cell.metadata.get("tags", ()) and not is_setup(cell.source, ()):
        cell.source = f"%%flow_setup\n{cell.source}"  # nbclient sends no tags
    try:
        await _await_in_task(client.async_execute_cell(cell, index))
    except CellExecutionError as error:
        where = f"Cell {index + 1} of {path} raised {error.ename}: {ANSI_COLOR.sub('', error.evalue)}"
        raise NotebookFailed(f"{where}.", fix=f"{_error_advice(error)}The cell is:\n\n{cell.source}\n") from None
    except CellTimeoutError:
        raise NotebookFailed(
            f"Cell {index + 1} of {path} took too long.", fix="Give a longer --cell-timeout."
        ) from None
    except DeadKernelError:
        raise KernelDied(
            f"The kernel died in cell {index + 1} of {path}.", fix="Check how much memory the cell uses."
        ) from None


def _error_advice(error: CellExecutionError) -> str:
    """Return advice on an error that is specific to notebooks executed without a user; an empty string for other errors."""
    texts = {
        "StdinNotImplementedError": "No user can answer while a notebook is registered: assign the value or read a file.",
        "SystemExit": "Remove the exit from the cell.",
        "NameError '__file__'": "A notebook has no __file__: write Path.cwd(), which is the notebook's folder.",
        "RuntimeError asyncio.run()": "A notebook's kernel runs an event loop already: write await instead of asyncio.run().",
    }
    error_text = f"{error.ename} {error.evalue}"
    found = [text for start, text in texts.items() if all(word in error_text for word in start.split())]
    return f"{found[0]} Or leave the cell out with the tag skip-registering. " if found else ""


def _find_flow(name: str, found: tuple[LiveFlow, ...], path: Path) -> LiveFlow:
    matches = [flow for flow in found if name == flow.variable] or [flow for flow in found if name == flow.name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        variables = ", ".join(flow.variable for flow in matches)
        raise FlowAmbiguous(f"{path} has two flows called {name!r}.", fix=f"Give the variable: {variables}.")
    known = ", ".join(flow.name for flow in found)
    raise FlowNotFound(f"{path} has no flow called {name!r}.", fix=f"It has {known}.")


def _kernel_environment(path: Path, endpoints: Endpoints | None) -> dict[str, str]:
    """Return the kernel's environment, with the notebook's path in Jupyter's variable, which may be set for another notebook.

    `%register_flow` in a cell leaves registering to the command that executes the notebook.
    """
    own = {"SATFLOW_EXECUTING": "1", "JPY_SESSION_NAME": str(path.resolve())}
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    return {**os.environ, **own, **quiet, **(_prefect_variables(endpoints) if endpoints else {})}


def _prefect_variables(endpoints: Endpoints) -> dict[str, str]:
    """Return variables that make Prefect in the kernel use one API and start no server. An empty one overrides the profile."""
    api = endpoints.prefect
    variables = {
        "PREFECT_API_URL": api.url,
        "PREFECT_API_AUTH_STRING": api.auth_string or "",
        "PREFECT_API_KEY": api.api_key or "",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    }
    if endpoints.local:
        variables[LOCAL_PREFECT] = api.url
    if is_on_loopback(api.url):  # a proxy must not receive the credential of a server on this machine
        host = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1,localhost"]))
        variables |= {"NO_PROXY": host, "no_proxy": host}
    return variables
