"""Description of a live flow for the user: name, parameters, documentation."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, NamedTuple

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from satflow_ext.kernel.fingerprint import SharedDigests, SlowDigests, compute_fingerprint
from satflow_ext.kernel.flow_discovery import AnyFlow, FoundFlow, Shell, cell_of
from satflow_ext.kernel.task_runners import describe_task_runner
from satflow_ext.models import JsonObject, LiveFlow, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEFAULT_LENGTH = 120
"""Maximum characters of a default value."""


class FlowSignature(NamedTuple):
    """The facts that stay the same as long as the flow object does."""

    flow: AnyFlow
    parameters: tuple[Parameter, ...]
    schema: JsonObject


class FlowDescriber:
    """Describes flows, and caches their signatures between cells. One per kernel."""

    def __init__(self) -> None:
        self._signatures: dict[int, FlowSignature] = {}
        self._slow = SlowDigests()

    def describe_flows(self, found: Iterable[FoundFlow], shell: Shell | None) -> tuple[LiveFlow, ...]:
        """Describe flows for the sidebar. Forget the signatures of all other flows."""
        found = list(found)
        self._signatures = {id(each.flow): self._get_signature(each.flow) for each in found}
        shared = SharedDigests()
        return tuple(self._describe_flow(each, shell, shared) for each in found)

    def _get_signature(self, flow: AnyFlow) -> FlowSignature:
        known = self._signatures.get(id(flow))
        return known if known is not None else FlowSignature(flow, signature_parameters(flow), parameter_schema(flow))

    def _describe_flow(self, found: FoundFlow, shell: Shell | None, shared: SharedDigests) -> LiveFlow:
        known = self._signatures[id(found.flow)]
        return LiveFlow(
            name=found.flow.name,
            variable=found.variable,
            doc=inspect.cleandoc(found.flow.description or ""),
            cell=cell_of(found.flow, shell),
            parameters=known.parameters,
            parameter_schema=known.schema,
            fingerprint=safe_fingerprint(found.flow, self._slow, shared),
            task_runner=describe_task_runner(found.flow),
        )


def safe_fingerprint(flow: AnyFlow, slow: SlowDigests, shared: SharedDigests) -> str:
    """Return the sampled fingerprint; empty if data is nested too deeply, which packing reports as an error."""
    try:
        return compute_fingerprint(flow, slow=slow, shared=shared)
    except RecursionError:
        return ""


def signature_parameters(flow: AnyFlow) -> tuple[Parameter, ...]:
    """Return the parameters of the signature, in its order."""
    return tuple(_to_parameter(each) for each in inspect.signature(flow.fn).parameters.values())


def parameter_schema(flow: AnyFlow) -> JsonObject:
    """Return Prefect's JSON schema of the signature, with text in place of values that are not JSON.

    Prefect marks `*args` and `**kwargs` as required; Python does not, and a run without them would be refused.
    """
    made = to_jsonable_python(flow.parameters.model_dump_for_openapi(), fallback=_short_repr, inf_nan_mode="constants")
    required = {row.name for row in signature_parameters(flow) if row.required}
    if "required" in made:
        made["required"] = [name for name in made["required"] if name in required]
    return {str(key): _replace_non_finite(value) for key, value in made.items() if value or key != "required"}


def _to_parameter(parameter: inspect.Parameter) -> Parameter:
    many = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    empty = parameter.default is parameter.empty
    return Parameter(
        name=parameter.name,
        annotation=annotation_text(parameter.annotation),
        required=empty and not many,
        default=None if empty else _short_repr(parameter.default),
    )


def annotation_text(annotation: object) -> str:
    """Format an annotation as it was written, without the notebook's module name."""
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return text.replace("__main__.", "")


def _short_repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # the value's own repr, which may raise anything
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= MAX_DEFAULT_LENGTH else text[: MAX_DEFAULT_LENGTH - 1] + "…"


def _replace_non_finite(value: JsonValue) -> JsonValue:
    """Replace NaN and infinity by text, since JSON has neither."""
    if isinstance(value, dict):
        return {key: _replace_non_finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_replace_non_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
