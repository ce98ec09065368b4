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
from satflow_ext.models import ErrorBody, JsonObject, Wire

log = logging.getLogger(__name__)


class Reply:
    """A JSON object that the kernel publishes as its result."""

    def __init__(self, content: JsonObject) -> None:
        self._content = content

    def __repr__(self) -> str:
        return "<SatFlow reply>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {MIME: self._content, "text/plain": repr(self)}


def flows() -> Reply:
    """Return the flows of this kernel as a FlowList, and start to push changes."""
    return _reply(_flows)


def pack(arguments: str) -> Reply:
    """Pack one flow and return a PackedFlow. `arguments` is the JSON that `kernel_calls.pack_call` writes."""
    return _reply(lambda: _pack(**json.loads(arguments)))


def preflight(arguments: str) -> Reply:
    """Return the pre-flight report on a flow, a Preflight. `arguments` is the JSON that `kernel_calls.preflight_call` writes."""
    return _reply(lambda: _preflight(**json.loads(arguments)))


def _flows() -> Wire:
    from satflow_ext.kernel.hook import start

    _need_prefect()
    return start(_shell())


def _pack(
    variable: str,
    parameters: JsonObject,
    has_schedule: bool,
    directory: str,
    include: list[str],
    parameter_texts: dict[str, str],
) -> Wire:
    from satflow_ext import scratch
    from satflow_ext.settings import load_settings

    _need_prefect()
    from satflow_ext.kernel.pack import pack as pack_flow

    shell, folder = _shell(), Path(directory)
    with scratch.room(folder):
        return pack_flow(
            variable,
            folder,
            namespace=shell.user_ns,
            shell=shell,
            given=parameters,
            texts=parameter_texts,
            complete=has_schedule,
            include=include,
            limit=load_settings().content_limit,
        )


def _preflight(variable: str, include: list[str]) -> Wire:
    from satflow_ext.settings import load_settings

    _need_prefect()
    from satflow_ext.kernel.preflight import preflight as report_on

    shell = _shell()
    return report_on(
        variable, namespace=shell.user_ns, shell=shell, include=include, limit=load_settings().content_limit
    )


def _reply(answer: Callable[[], Wire]) -> Reply:
    """Call a function and reply with its result, or with any error, as JSON."""
    try:
        return Reply(answer().model_dump(mode="json"))
    except SatflowError as error:
        return _refusal(error)
    except Exception as error:
        log.debug("A call from the Jupyter server failed.", exc_info=True)
        return _refusal(SatflowError(f"The kernel failed: {type(error).__name__}: {error}."))


def _refusal(error: SatflowError) -> Reply:
    return Reply({"error": ErrorBody.of(error).model_dump(mode="json")})


def _need_prefect() -> None:
    if find_spec("prefect") is None:
        raise KernelLacksPackage(
            "This kernel's environment has no `prefect`.", fix="Run `%pip install prefect` in the notebook."
        )


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()
