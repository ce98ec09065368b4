"""Lookup of a flow by its variable or name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from satflow_ext.errors import FlowAmbiguous, FlowNotFound
from satflow_ext.kernel.flow_discovery import AnyFlow, FoundFlow, is_flow, live_flows


def find_flow(flow_or_name: AnyFlow | str, namespace: Mapping[str, object]) -> FoundFlow:
    """Return the flow with this variable or, if there is no such variable, with this Prefect name.

    Args:
        flow_or_name: a variable's name, a flow's name, or the flow itself.
        namespace: the namespace to search.

    Raises:
        FlowNotFound: the namespace has no such name, or the value is not a flow.
        FlowAmbiguous: several flows have this name.
    """
    living = live_flows(namespace)
    if not isinstance(flow_or_name, str):
        return _find_variable(flow_or_name, living)
    if is_flow(namespace.get(flow_or_name)):
        return FoundFlow(flow_or_name, namespace[flow_or_name])  # type: ignore[arg-type]  # is_flow checks it
    named = [found for found in living if found.flow.name == flow_or_name]
    if len(named) > 1:
        variables = ", ".join(found.variable for found in named)
        raise FlowAmbiguous(
            f"{len(named)} flows are called {flow_or_name!r}.", fix=f"Use the variable of one of them: {variables}."
        )
    if not named:
        raise _not_found(flow_or_name, namespace, living)
    return named[0]


def _find_variable(flow: AnyFlow, living: list[FoundFlow]) -> FoundFlow:
    if not is_flow(flow):
        raise FlowNotFound(
            f"A {type(flow).__qualname__} is not a flow.", fix="Put @flow above a function and pass the resulting flow."
        )
    bound = [found for found in living if found.flow is flow]
    return bound[0] if bound else FoundFlow(getattr(flow.fn, "__name__", flow.name), flow)


def _not_found(flow_name: str, namespace: Mapping[str, object], living: list[FoundFlow]) -> FlowNotFound:
    if flow_name in namespace:
        kind = type(namespace[flow_name]).__qualname__
        return FlowNotFound(
            f"{flow_name!r} is a {kind}, not a flow.", fix="Put @flow above the function and run its cell."
        )
    names = list(dict.fromkeys(name for found in living for name in (found.variable, found.flow.name)))
    near = difflib.get_close_matches(flow_name, names, n=3)
    if near:
        fix = f"Did you mean {' or '.join(near)}?"
    elif names:
        fix = f"Flows in this notebook: {', '.join(found.variable for found in living)}."
    else:
        fix = "Put @flow above a function and run its cell."
    return FlowNotFound(f"This notebook has no flow called {flow_name!r}.", fix=fix)
