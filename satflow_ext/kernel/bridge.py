"""Entry points that the Jupyter server calls in this kernel, by silent execute requests (see `satflow_ext.kernel_calls`)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from satflow_ext.errors import KernelLacksPackage, SatflowError
from satflow_ext.kernel_calls import MIME
from satflow_ext.models import ErrorBody, JsonObject, WireModel

log = logging.getLogger(__name__)


class KernelReply:
    """A JSON object that the kernel publishes as its result."""

    def __init__(self, content: JsonObject) -> None:
        self._content = content

    def __repr__(self) -> str:
        return "<SatFlow reply>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {MIME: self._content, "text/plain": repr(self)}


def flows() -> KernelReply:
    """Return the flows of this kernel as a FlowList, and start to push changes."""
    return _build_reply(_list_flows)


def pack(arguments: str) -> KernelReply:
    """Pack one flow and return a PackedFlow. `arguments` is the JSON that `kernel_calls.build_pack_call` writes."""
    return _build_reply(lambda: _pack_flow(**json.loads(arguments)))


def preflight(arguments: str) -> KernelReply:
    """Return the pre-flight report on a flow, a Preflight. `arguments` is the JSON of `kernel_calls.build_preflight_call`."""
    return _build_reply(lambda: _preflight_flow(**json.loads(arguments)))


def debug(arguments: str) -> KernelReply:
    """Load a run into this kernel and return a DebugCell. `arguments` is the JSON of `kernel_calls.build_debug_call`."""
    return _build_reply(lambda: _debug_run(**json.loads(arguments)))


def _list_flows() -> WireModel:
    from satflow_ext.kernel.hook import start_push

    _require_prefect()
    shell = _get_shell()
    # IPython reads no startup file of `pip install --user`, nor one that was installed since the kernel started.
    shell.extension_manager.load_extension("satflow_ext")
    return start_push(shell)


def _pack_flow(
    variable: str,
    parameters: JsonObject,
    schedules: list[list[dict[str, Any]]],
    directory: str,
    include: list[str],
    parameter_texts: dict[str, str],
) -> WireModel:
    from satflow_ext import scratch
    from satflow_ext.settings import load_settings

    _require_prefect()
    from satflow_ext.kernel.pack import pack_flow as pack_flow
    from satflow_ext.parameter_values.text import GivenParameters

    shell, folder = _get_shell(), Path(directory)
    with scratch.report_disk_full(folder):
        return pack_flow(
            variable,
            folder,
            namespace=shell.user_ns,
            shell=shell,
            parameter_values=parameters,
            parameter_texts=parameter_texts,
            schedules=[GivenParameters(values, texts) for values, texts in schedules],
            include=include,
            limit=load_settings().content_limit,
        )


def _preflight_flow(variable: str, include: list[str]) -> WireModel:
    from satflow_ext.settings import load_settings

    _require_prefect()
    from satflow_ext.kernel.preflight import create_report as report_on

    shell = _get_shell()
    return report_on(
        variable, namespace=shell.user_ns, shell=shell, include=include, limit=load_settings().content_limit
    )


def _debug_run(run_id: str, task: str | None) -> WireModel:
    _require_prefect()
    from satflow_ext.kernel.debug_run import debug_run
    from satflow_ext.models import DebugCell

    made = debug_run(run_id, task=task)
    return DebugCell(variable=made.variable, source=made.cell_text())


def _build_reply(compute: Callable[[], WireModel]) -> KernelReply:
    """Call a function and reply with its result, or with any error, as JSON."""
    try:
        return KernelReply(compute().model_dump(mode="json"))
    except SatflowError as error:
        return _error_reply(error)
    except Exception as error:
        log.debug("A call from the Jupyter server failed.", exc_info=True)
        return _error_reply(SatflowError(f"The kernel failed: {type(error).__name__}: {error}."))


def _error_reply(error: SatflowError) -> KernelReply:
    return KernelReply({"error": ErrorBody.from_error(error).model_dump(mode="json")})


def _require_prefect() -> None:
    if find_spec("prefect") is None:
        raise KernelLacksPackage(
            "This kernel's environment has no `prefect`.", fix="Run `%pip install prefect` in the notebook."
        )


def _get_shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()
