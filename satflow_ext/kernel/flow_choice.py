"""Lookup of a flow by its variable or name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from satflow_ext.errors import FlowAmbiguous, FlowNotFound
from satflow_ext.kernel.flow_discovery import AnyFlow, Found, is_flow, live_flows


def choose(wanted: AnyFlow | str, namespace: Mapping[str, object]) -> Found:
    """Return the flow with this variable or, if there is no such variable, with this Prefect name.

    Args:
        wanted: a variable's name, a flow's name, or the flow itself.
        namespace: the namespace to search.

    Raises:
        FlowNotFound: the namespace has no such name, or the value is not a flow.
        FlowAmbiguous: several flows have this name.
    """
    living = live_flows(namespace)
    if not isinstance(wanted, str):
        return _itself(wanted, living)
    if is_flow(namespace.get(wanted)):
        return Found(wanted, namespace[wanted])  # type: ignore[arg-type]  # is_flow checks it
    named = [found for found in living if found.flow.name == wanted]
    if len(named) > 1:
        variables = ", ".join(found.variable for found in named)
        raise FlowAmbiguous(
            f"{len(named)} flows are called {wanted!r}.", fix=f"Use the variable of one of them: {variables}."
        )
    if not named:
        raise _not_found(wanted, namespace, living)
    return named[0]


def _itself(flow: AnyFlow, living: list[Found]) -> Found:
    if not is_flow(flow):
        raise FlowNotFound(
            f"A {type(flow).__qualname__} is not a flow.", fix="Put @flow above a function and pass the resulting flow."
        )
    bound = [found for found in living if found.flow is flow]
    return bound[0] if bound else Found(getattr(flow.fn, "__name__", flow.name), flow)


def _not_found(wanted: str, namespace: Mapping[str, object], living: list[Found]) -> FlowNotFound:
    if wanted in namespace:
        kind = type(namespace[wanted]).__qualname__
        return FlowNotFound(
            f"{wanted!r} is a {kind}, not a flow.", fix="Put @flow above the function and run its cell."
        )
    names = list(dict.fromkeys(name for found in living for name in (found.variable, found.flow.name)))
    near = difflib.get_close_matches(wanted, names, n=3)
    if near:
        fix = f"Did you mean {' or '.join(near)}?"
    elif names:
        fix = f"Flows in this notebook: {', '.join(found.variable for found in living)}."
    else:
        fix = "Put @flow above a function and run its cell."
    return FlowNotFound(f"This notebook has no flow called {wanted!r}.", fix=fix)
