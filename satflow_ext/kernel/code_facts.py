"""Facts of a code object that do not depend on its location.

Line numbers and file names are left out, so that moving a function changes nothing. `co_code` is the plain bytecode on every
Python, not the interpreter's specialized version, but each minor version of Python compiles to different bytecode.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType

CALLED_IMPORTS = frozenset({"import_module", "__import__"})
MODULE_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
GLOBAL_OPS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})


def plain_facts(code: CodeType) -> tuple[object, ...]:
    """Return all relevant facts except the constants: bytecode, names, arguments, flags, exception table."""
    return (
        code.co_code,
        code.co_name,
        code.co_names,
        code.co_varnames,
        code.co_cellvars,
        code.co_freevars,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
        getattr(code, "co_exceptiontable", b""),
    )


@lru_cache(maxsize=4096)
def global_names(code: CodeType) -> tuple[str, ...]:
    """Return the global names that the code and its nested code use, sorted."""
    names = {
        str(op.argval) for each in _nested_code(code) for op in dis.get_instructions(each) if op.opname in GLOBAL_OPS
    }
    return tuple(sorted(names))


def used_names(function: FunctionType) -> list[str]:
    """Return the globals that a function uses, including those in text annotations (PEP 563), sorted."""
    return sorted({*global_names(function.__code__), *annotation_names(function)} & function.__globals__.keys())


def annotation_names(function: FunctionType) -> set[str]:
    """Return the names in annotations that are still text: Prefect evaluates them when the flow runs."""
    texts = [each for each in annotations_of(function).values() if isinstance(each, str)]
    return {word for text in texts for word in re.findall(r"[^\W\d]\w*", text)}


def annotations_of(function: FunctionType) -> dict[str, object]:
    """Return the annotations; an empty dictionary if they are evaluated lazily and use an undefined name (Python 3.14)."""
    try:
        return dict(function.__annotations__)
    except NameError:
        return {}


@lru_cache(maxsize=4096)
def imported_names(code: CodeType) -> tuple[tuple[str, int], ...]:
    """Return the modules that the code imports while it runs: (name as written, level of a relative import).

    If it calls `import_module`, each of its strings may be a module name.
    """
    found: set[tuple[str, int]] = set()
    for each in _nested_code(code):
        if not CALLED_IMPORTS.isdisjoint(each.co_names):
            found |= {(const, 0) for const in each.co_consts if isinstance(const, str) and MODULE_NAME.fullmatch(const)}
        ops = list(dis.get_instructions(each))
        for index, op in enumerate(ops):
            if op.opname == "IMPORT_NAME":
                found |= _imported_modules(ops[index - 2], ops[index - 1], str(op.argval))
    return tuple(sorted(found))


def _imported_modules(level_op: dis.Instruction, names_op: dis.Instruction, name: str) -> set[tuple[str, int]]:
    """Return the module and, for `from package import x`, also `package.x`, which may be a module."""
    level = level_op.argval if isinstance(level_op.argval, int) else 0
    names = names_op.argval if isinstance(names_op.argval, tuple) else ()
    return {(name, level)} | {(f"{name}.{each}" if name else each, level) for each in names}


def _nested_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _nested_code(const)
