"""Search for all findings about a flow, shared by the pre-flight report and by registration."""

from __future__ import annotations

import ast
import os
import sys
import types
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePath
from typing import NamedTuple

from satflow_ext.kernel.flow_discovery import Shell
from satflow_ext.kernel.preflight.findings import extract_texts, find_problems
from satflow_ext.kernel.reachable_objects import ReachedObject
from satflow_ext.models import Finding
from satflow_ext.setup_cells import list_setup_cells

MAX_TEXTS = 2000
"""Maximum number of texts to check."""
MAX_PATH_LENGTH = 250
CODE_SUFFIXES = frozenset({".py", ".ipynb"})
"""Suffixes of files that are packed as code, or are the notebook."""
MAX_FINDINGS = 20
SETUP_CELL_FIX = (
    "Begin the cell with %%flow_setup, or give it the tag flow-setup, so that it also runs in every flow run."
)
ENVIRONMENT = "os.environ"
CHANGING_NAMES = (
    ENVIRONMENT,
    "os.putenv",
    "os.unsetenv",
    "os.chdir",
    "locale.setlocale",
    "random.seed",
    "socket.setdefaulttimeout",
    "sys.setrecursionlimit",
    "decimal.setcontext",
    "multiprocessing.set_start_method",
    "numpy.random.seed",
    "numpy.seterr",
    "pandas.set_option",
    "pandas.options",
    "pandas.api.extensions.register_dataframe_accessor",
    "pandas.api.extensions.register_series_accessor",
    "pandas.api.extensions.register_index_accessor",
    "pandas.core.accessor.register_dataframe_accessor",
    "pandas.core.accessor.register_series_accessor",
    "pandas.core.accessor.register_index_accessor",
    "matplotlib.use",
    "matplotlib.rcParams",
    "matplotlib.style.use",
    "matplotlib.pyplot.rcParams",
    "matplotlib.pyplot.style.use",
    "seaborn.set_theme",
    "dask.config.set",
    "dotenv.load_dotenv",
    "dotenv.main.load_dotenv",
    "torch.manual_seed",
    "torch.set_default_dtype",
    "torch.set_num_threads",
    "polars.Config",
)
"""Names that a cell may call, assign to or use as a decorator, also with further attributes."""
MAGIC_TARGETS = {"env": ENVIRONMENT, "set_env": ENVIRONMENT, "cd": "os.chdir"}
DISPLAY_PREFIX = "display."
"""Prefix of pandas' display options, which do not affect a flow run."""


def find_findings(
    everything: Sequence[ReachedObject],
    shell: Shell | None,
    modules: frozenset[str],
    folder: Path,
    *,
    included: Container[str] = (),
    texts: int | None = None,
) -> list[Finding]:
    """Find live objects, credentials, cells that change the process, and named files that are not included.

    Args:
        everything: all objects that the flow reaches.
        shell: the shell whose cells are checked; None in plain Python.
        modules: top-level modules that the flow refers to.
        folder: the notebook's folder.
        included: paths of the included data files, relative to it.
        texts: the maximum number of texts to compare with the shapes of credentials (default: all).
    """
    return [
        *find_problems(everything, texts=texts),
        *find_side_effects(shell, modules),
        *find_missing_files(everything, folder, included),
    ]


def find_missing_files(
    everything: Iterable[ReachedObject], folder: Path, included: Container[str]
) -> Iterator[Finding]:
    """Find texts and paths that name files in the notebook's folder.

    Args:
        everything: all objects that the flow reaches.
        folder: the notebook's folder.
        included: paths of the included files, relative to it.
    """
    texts = islice(filter(_may_be_path, _possible_paths(everything)), MAX_TEXTS)
    names = dict.fromkeys(PurePath(text).as_posix() for text in texts)
    left = (name for name in names if name not in included and _is_file(folder, name))
    for name in islice(left, MAX_FINDINGS):
        yield Finding(
            kind="file",
            level="warning",
            where=name,
            message="is in the notebook's folder and is named by the flow, but is not packed with it",
            fix=f"Include it (--include {name}) if the flow reads it.",
        )


def _possible_paths(everything: Iterable[ReachedObject]) -> Iterator[str]:
    for reached in everything:
        if isinstance(reached.value, PurePath):
            yield str(reached.value)
        else:
            yield from (text for _, text in extract_texts(reached))


def _may_be_path(text: str) -> bool:
    return 0 < len(text) <= MAX_PATH_LENGTH and "\0" not in text and "\n" not in text


def _is_file(folder: Path, name: str) -> bool:
    path = PurePath(name)
    if path.is_absolute() or ".." in path.parts or path.suffix in CODE_SUFFIXES:
        return False
    try:
        return (folder / path).is_file()
    except OSError:  # the file system does not allow this name
        return False


class _NameUse(NamedTuple):
    """A name that a cell calls, assigns to or uses as a decorator, as it is written."""

    name: str
    argument: str


def find_side_effects(shell: Shell | None, packages: frozenset[str]) -> Iterator[Finding]:
    """Find executed cells that change the process.

    Args:
        shell: the shell whose cells are checked; None in plain Python.
        packages: top-level modules that the flow uses. Options of other packages are ignored.
    """
    if shell is None:
        return
    setup = {cell.text.strip() for cell in list_setup_cells()}
    found: dict[str, int] = {}
    for number, text in enumerate(shell.history_manager.input_hist_parsed):
        if text.strip() not in setup:
            found.update((what, number) for what in _find_changes(text, shell.user_ns, packages))
    for what, number in found.items():
        message = f"changes only this kernel ({what}), not the process of a flow run"
        yield Finding(
            kind="side effect", level="warning", where=f"cell [{number}]", message=message, fix=SETUP_CELL_FIX
        )


def _find_changes(text: str, namespace: Mapping[str, object], packages: frozenset[str]) -> Iterator[str]:
    for use in _find_uses(text):
        name = (
            MAGIC_TARGETS.get(use.name.removeprefix("%"))
            if use.name.startswith("%")
            else _qualified_name(use.name, namespace)
        )
        if name is None or use.argument.startswith(DISPLAY_PREFIX):
            continue
        what = next((each for each in CHANGING_NAMES if name == each or name.startswith(f"{each}.")), None)
        if what and (_affects_process(what) or what.partition(".")[0] in packages):
            yield what


def _affects_process(name: str) -> bool:
    """Return whether a name changes more than its own package."""
    package = name.partition(".")[0]
    return package in sys.stdlib_module_names or package == "dotenv"


def _qualified_name(name: str, namespace: Mapping[str, object]) -> str | None:
    """Resolve the full name of an alias such as `np.random.seed`, or `environ` from `from os import environ`."""
    first, dot, rest = name.partition(".")
    value = namespace.get(first)
    if value is os.environ:
        return f"{ENVIRONMENT}{dot}{rest}"
    if isinstance(value, types.ModuleType):
        return f"{value.__name__}{dot}{rest}"
    module = getattr(value, "__module__", None)
    own = getattr(value, "__qualname__", None)
    return f"{module}.{own}{dot}{rest}" if isinstance(module, str) and isinstance(own, str) else None


@lru_cache(maxsize=4096)
def _find_uses(text: str) -> tuple[_NameUse, ...]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ()
    return tuple(use for node in _outside_functions(tree) for use in _node_uses(node))


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the cell runs; for functions, only the decorators."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                yield decorator
                yield from _outside_functions(decorator)
        elif not isinstance(node, ast.Lambda):
            yield from _outside_functions(node)


def _node_uses(node: ast.AST) -> Iterator[_NameUse]:
    if isinstance(node, ast.Call):
        yield from _call_uses(node)
    elif isinstance(node, (ast.Assign, ast.Delete)):
        for target in node.targets:
            yield from _target_uses(target)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        yield from _target_uses(node.target)


def _call_uses(node: ast.Call) -> Iterator[_NameUse]:
    arguments = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    name = _dotted_name(node.func)
    if name.endswith("run_line_magic") and arguments:
        # `%env` alone, or with one name, only displays variables.
        if arguments[0] == "cd" or (len(arguments) > 1 and any(each in arguments[1] for each in "= ")):
            yield _NameUse(f"%{arguments[0]}", "")
    elif _may_change_mapping(name):
        yield _NameUse(name, arguments[0] if arguments else "")


def _target_uses(target: ast.AST) -> Iterator[_NameUse]:
    if isinstance(target, ast.Subscript):
        yield _NameUse(_dotted_name(target.value), "")
    elif isinstance(target, ast.Attribute):
        name = _dotted_name(target)
        yield _NameUse(name, DISPLAY_PREFIX if f".{DISPLAY_PREFIX}" in name else "")


def _may_change_mapping(name: str) -> bool:
    """Return whether a call may change a mapping such as `os.environ`, and does not only read it."""
    return name.rpartition(".")[2] not in {"get", "items", "keys", "values", "copy", "__contains__", "__getitem__"}


def _dotted_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted_name(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return _dotted_name(node.func)
    return node.id if isinstance(node, ast.Name) else ""
