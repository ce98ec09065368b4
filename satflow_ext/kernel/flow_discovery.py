"""Discovery of the flows in a namespace.

Never imports prefect: a process that did not import it has no flow. Reads only the type of a value, so that proxies and lazy
objects are not triggered.
"""

from __future__ import annotations

import difflib
import inspect
import os
import re
import sys
from collections.abc import Mapping
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from satflow_ext.errors import FlowAmbiguous, FlowNotFound

if TYPE_CHECKING:
    from typing import TypeAlias

    from prefect.flows import Flow

Callback = TypeVar("Callback", bound="CellCallback")
AnyFlow: TypeAlias = "Flow[..., Any]"


class Shell(Protocol):
    """The used part of an IPython shell's interface."""

    user_ns: dict[str, object]
    compile: Any
    history_manager: Any
    events: Any

    def set_next_input(self, text: str) -> None:
        """Put text into a new cell below."""


def notebook_path() -> str | None:
    """Return the path of this kernel's notebook that Jupyter set for the kernel; None if it set none."""
    return os.environ.get("JPY_SESSION_NAME") or None


class CellCallback(Protocol):
    """An object that a shell calls after each cell."""

    def __init__(self, shell: Shell) -> None: ...

    def after_cell(self, result: Any, /) -> None:
        """Handle the execution of a cell."""


def cell_callback(shell: Shell, kind: type[Callback]) -> Callback:
    """Return the only object of this class that a shell calls after each cell; the first call creates and registers it."""
    for method in shell.events.callbacks["post_run_cell"]:
        if isinstance(owner := getattr(method, "__self__", None), kind):
            return owner
    made = kind(shell)
    shell.events.register("post_run_cell", made.after_cell)
    return made


class FoundFlow(NamedTuple):
    """A flow and the first variable it is bound to."""

    variable: str
    flow: AnyFlow


def prefect_class(module: str, name: str) -> type | None:
    """Return a class of prefect; None if its module was not imported."""
    return getattr(sys.modules.get(module), name, None)


def is_flow(value: object) -> bool:
    """Return whether a value is a Prefect flow, by its type alone."""
    flow_class = prefect_class("prefect.flows", "Flow")
    return flow_class is not None and issubclass(type(value), flow_class)


def live_flows(namespace: Mapping[str, object]) -> list[FoundFlow]:
    """Return the flows of a namespace, in the order in which their variables were created.

    A flow bound to several names is listed once; names that start with an underscore are ignored.
    """
    flow_class = prefect_class("prefect.flows", "Flow")
    if flow_class is None:
        return []
    found: dict[int, FoundFlow] = {}
    for variable in _names_of_types(_subclass_ids(flow_class), namespace):
        value = namespace.get(variable)
        if is_flow(value) and not variable.startswith("_"):
            found.setdefault(id(value), FoundFlow(variable, value))  # type: ignore[arg-type]  # is_flow checks it
    return list(found.values())


def cell_of(flow: AnyFlow, shell: Shell | None) -> int | None:
    """Return the execution count of the cell that defined the flow; None if a module did."""
    code = getattr(inspect.unwrap(flow.fn), "__code__", None)
    return cell_number(code.co_filename, shell) if code is not None else None


def cell_number(filename: str, shell: Shell | None) -> int | None:
    """Return the execution count for the file name of a cell's code, which IPython also shows in tracebacks."""
    name = shell.compile.format_code_name(filename) if shell is not None else None
    count = re.fullmatch(r"In\s*\[(\d+)\]", name[1]) if name else None
    return int(count[1]) if count else None


def _names_of_types(types: set[int], namespace: Mapping[str, object]) -> list[str]:
    """Return the names whose values have one of these types, given by id, as a metaclass may make its classes unhashable.

    A large notebook has twenty thousand names to check after each cell, so no Python code runs and nothing that the garbage
    collector counts is allocated per name. Every value is checked, also if its address is as after the previous cell: a new flow
    may have the address of a value that it replaces, and remembering the values would keep them alive after `del`.
    """
    current = dict(namespace)  # a thread of the user may change the namespace meanwhile
    kinds = map(id, map(type, current.values()))
    return list(compress(current, map(types.__contains__, kinds)))


def _subclass_ids(cls: type) -> set[int]:
    return {id(cls)}.union(*map(_subclass_ids, type.__subclasses__(cls)))


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
