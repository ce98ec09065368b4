"""The tasks that a flow calls, and the results that each call uses, as far as the source shows them without being run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from satflow_ext.models import Source, TaskChange

TASK_METHODS = frozenset({"submit", "map", "delay", "apply_async"})
"""Methods that only tasks have."""
CHAINED_METHODS = TASK_METHODS | {"with_options"}
DECORATORS = {"task": "task", "flow": "flow", "prefect.task": "task", "prefect.flow": "flow"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Kind = Literal["function", "class", "statements"]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Wiring:
    """A flow's calls in the order of the source, the tasks in them, and notes on what cannot be determined."""

    calls: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)


def compare_wirings(before: Source, after: Source) -> tuple[TaskChange, ...]:
    """Return the flows whose calls differ."""
    old, new = find_wirings(before), find_wirings(after)
    names = [*new, *(name for name in old if name not in new)]
    pairs = [(name, old.get(name, Wiring()), new.get(name, Wiring())) for name in names]
    return tuple(_wiring_change(name, was, now) for name, was, now in pairs if was != now)


def find_wirings(source: Source) -> dict[str, Wiring]:
    """Map each flow that the source defines with a decorator to its wiring."""
    trees = [tree for _, text in source_texts(source) if (tree := parse_python(text)) is not None]
    bodies = {node.name: node for tree in trees for node in tree.body if isinstance(node, Function)}
    marked = {name: mark for name, node in bodies.items() if (mark := _decorator_kind(node))}
    marked |= {name: "task" for tree in trees for name in _wrapped_tasks(tree)}
    return {name: _FlowVisitor(marked).read_flow(bodies[name]) for name, mark in marked.items() if mark == "flow"}


def _wiring_change(flow: str, old: Wiring, new: Wiring) -> TaskChange:
    both = set(old.tasks) & set(new.tasks)
    return TaskChange(
        flow=flow,
        before=tuple(old.calls),
        after=tuple(new.calls),
        added=tuple(dict.fromkeys(name for name in new.tasks if name not in both)),
        removed=tuple(dict.fromkeys(name for name in old.tasks if name not in both)),
        rewired=_select_calls(old, both) != _select_calls(new, both),
        unsaid=tuple(dict.fromkeys(new.unsaid)),
    )


def _select_calls(wiring: Wiring, names: set[str]) -> list[str]:
    return [call for call, task in zip(wiring.calls, wiring.tasks, strict=True) if task in names]


def _decorator_kind(node: Function) -> str | None:
    """Return `task` or `flow` if the function is decorated as one, else None."""
    for decorator in node.decorator_list:
        name = _dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if name in DECORATORS:
            return DECORATORS[name]
    return None


def _wrapped_tasks(tree: ast.Module) -> Iterator[str]:
    """Yield names bound at the top level to `task(function)` or to another task `.with_options(…)`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            name = _dotted_name(node.value.func)
            if DECORATORS.get(name) == "task" or name.endswith(".with_options"):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _dotted_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


class _FlowVisitor(ast.NodeVisitor):
    """Visitor of a flow's body in the order of the source.

    Args:
        marked: names of tasks and flows.
    """

    def __init__(self, marked: Iterable[str]) -> None:
        self._marked = set(marked)
        self._made_by: dict[str, list[str]] = {}
        self._wiring = Wiring()

    def read_flow(self, node: Function) -> Wiring:
        """Return the wiring of one flow."""
        for statement in node.body:
            self.visit(statement)
        return self._wiring

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._bind_names(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._bind_names(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        for name in _target_names(node.target):
            self._made_by[name] = sorted({*self._made_by.get(name, []), *self._source_tasks(node.value)})

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._bind_names(node.target, node.iter)
        for each in [*node.body, *node.orelse]:
            self.visit(each)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)  # calls in the arguments come first, as at run time
        name, way = _called_name(node.func)
        if self._called_task(node):
            self._record_call(name, way, node)
        elif name in ("getattr", "exec", "eval", "globals"):
            self._wiring.unsaid.append(f"uses {name}()")
        elif isinstance(node.func, (ast.Subscript, ast.Call)) and way is None:
            self._wiring.unsaid.append(f"calls {ast.unparse(node.func)}, which is only known at run time")

    def _record_call(self, name: str, method: str | None, node: ast.Call) -> None:
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        taken = sorted({source for value in values for source in self._source_tasks(value)})
        call = f"{name}.{method}" if method else name
        self._wiring.calls.append(f"{call} ← {', '.join(taken)}" if taken else call)
        self._wiring.tasks.append(name)

    def _bind_names(self, target: ast.expr, value: ast.expr) -> None:
        for name in _target_names(target):
            self._made_by[name] = self._source_tasks(value)

    def _source_tasks(self, value: ast.AST) -> list[str]:
        """Return the tasks whose results an expression contains. The inputs of those tasks are not included."""
        if isinstance(value, ast.Name):
            return self._made_by.get(value.id, [])
        if isinstance(value, ast.Call) and (task := self._called_task(value)):
            return [task[0]]
        return sorted({source for child in ast.iter_child_nodes(value) for source in self._source_tasks(child)})

    def _called_task(self, node: ast.Call) -> tuple[str, str | None] | None:
        """Return the task and the method of a call, or None if it does not call a task."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "with_options":
            return None
        name, way = _called_name(node.func)
        return (name, way) if name in self._marked or way in TASK_METHODS else None


def _target_names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _called_name(function: ast.expr) -> tuple[str, str | None]:
    """Return the called name and method: `double.map` and `double.with_options(retries=2).map` are both double, map."""
    way = None
    while True:
        if isinstance(function, ast.Attribute) and function.attr in CHAINED_METHODS:
            way = way or (function.attr if function.attr != "with_options" else None)
            function = function.value
        elif (
            isinstance(function, ast.Call)
            and isinstance(function.func, ast.Attribute)
            and function.func.attr in CHAINED_METHODS
        ):
            function = function.func
        else:
            return _dotted_name(function), way


class SourceText(NamedTuple):
    """A cell or a file. `place` is empty for a cell: all cells share one namespace, and each file has a separate one."""

    place: str
    text: str


class SourcePiece(NamedTuple):
    """A named part of the source."""

    name: str
    kind: Kind
    text: str


def source_texts(source: Source) -> Iterator[SourceText]:
    """Yield cells in the order in which they ran, then files in the order of their paths."""
    yield from (SourceText("", cell.text) for cell in source.cells)
    yield from (SourceText(file.path, file.text) for file in source.files)


def split_source(source: Source) -> dict[str, SourcePiece]:
    """Map names to pieces. The later of two definitions with the same name counts, as it did in the notebook."""
    found: dict[str, SourcePiece] = {}
    for place, text in source_texts(source):
        prefix = f"{place}:" if place else ""
        rest = []
        for piece in _split_text(text):
            if piece.kind == "statements":
                rest.append(piece.text)
            else:
                found[prefix + piece.name] = piece._replace(name=prefix + piece.name)
        _add_statements(found, place or "cells", "\n".join(rest))
    return found


def parse_python(text: str) -> ast.Module | None:
    """Return the text's syntax tree, or None if this Python cannot parse it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _split_text(text: str) -> Iterator[SourcePiece]:
    """Yield definitions at the top level and blocks of other statements. A comment belongs to the definition after it."""
    tree = parse_python(text)
    if tree is None:
        yield SourcePiece("", "statements", text)
        return
    lines, done = text.splitlines(), 0
    for node in tree.body:
        assert node.end_lineno is not None  # ast.parse sets it
        if isinstance(node, Definition):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
            first = max(_include_comments(lines, first), done)
            yield from _statement_piece(lines[done:first])
            kind: Kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield SourcePiece(node.name, kind, "\n".join(lines[first : node.end_lineno]))
            done = node.end_lineno
    yield from _statement_piece(lines[done:])


def _include_comments(lines: list[str], first: int) -> int:
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return first


def _statement_piece(lines: list[str]) -> Iterator[SourcePiece]:
    text = "\n".join(lines).strip("\n")
    if text.strip():
        yield SourcePiece("", "statements", text)


def _add_statements(found: dict[str, SourcePiece], name: str, text: str) -> None:
    if text:
        known = found.get(name)
        found[name] = SourcePiece(name, "statements", f"{known.text}\n{text}" if known else text)
