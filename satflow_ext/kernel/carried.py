"""Local modules that a function imports only while it runs.

A module that the notebook has imported is pickled by value in its current state, and an import in the flow run returns that
object. The source of all such modules is packed as well, for modules that are not imported yet and for the processes that the
flow run starts. The flow run writes the sources into a folder, which is removed when its process ends, and appends the folder to
the import path of that process and of its child processes.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from satflow_ext.kernel.code_facts import imported_names
from satflow_ext.kernel.local_modules import NEVER_LOCAL, is_local, is_local_path
from satflow_ext.kernel.reachable_objects import ReachedObject, WalkedFlow, iterate_reachable
from satflow_ext.setup_cells import SetupCellRunner, list_setup_cells

NAMES_ATTRIBUTE = "_satflow_names"
"""Attribute of a pydantic class until its schema is built: a mapping of the names in its annotations to their values."""

ENCODING_PATTERN = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)[-\w.]+")
"""Pattern of a line that declares the encoding of a source file (PEP 263)."""

Sources = dict[str, str]
"""Path below the import path → text."""


class FlowWithModules:
    """A flow with the local modules that it needs when it runs: sources by path, modules by name."""

    def __init__(self, flow: object, sources: Sources, modules: dict[str, types.ModuleType]) -> None:
        self.flow = flow
        self.sources = sources
        self.modules = modules


def add_local_modules(whole: WalkedFlow) -> FlowWithModules:
    """Combine a flow with the local modules that it imports while it runs."""
    carried = collect_sources(whole.reached)
    return FlowWithModules(whole.found.flow, carried, imported_modules(carried))


def imported_modules(sources: Sources) -> dict[str, types.ModuleType]:
    """Return the modules of these sources that are imported now and can be pickled, with all their submodules."""
    tops = {place.partition("/")[0].removesuffix(".py") for place in sources}
    found: dict[str, types.ModuleType] = {}
    for top in sorted(tops & sys.modules.keys()):
        below = {name: each for name, each in sys.modules.items() if name.partition(".")[0] == top and is_local(each)}
        if not any(
            reached.view.problem
            for each in below.values()
            for reached in iterate_reachable(each, "", visit_plain_data=False)
        ):
            found |= below
    return found


def collect_sources(everything: Iterable[ReachedObject]) -> Sources:
    """Return the source of every local module that reached code imports while it runs, and of the modules that those import."""
    waiting = sorted(_reached_imports(everything))
    found: Sources = {}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name not in NEVER_LOCAL:
            seen.add(name)
            files = _source_files(name)
            found |= files
            waiting += sorted({each for text in files.values() for each in _source_imports(text)})
    return dict(sorted(found.items()))


class _InstallModules:
    """A pickle marker that installs the local modules when it is loaded, before the objects that follow it."""

    def __init__(self, carrier: FlowWithModules) -> None:
        self._arguments = carrier.sources, carrier.modules

    def __reduce__(self) -> tuple[Any, ...]:
        return _copy_to_main(_install_modules), self._arguments


def reduce_flow(carrier: FlowWithModules, models: list[type], main: list[object]) -> tuple[object, ...]:
    """Return the pickle reduction of a flow: its functions are pickled by value, since the reader may not have SatFlow.

    Local modules come first, then the setup cells, which may import them, then the flow, which may use names of those cells.

    Args:
        carrier: the flow with its local modules.
        models: pydantic models and dataclasses, filled while the flow is pickled. Their schemas are built when all of them
            have their fields.
        main: functions and classes that the notebook's `__main__` defines, filled while the flow is pickled. They are added
            to the `__main__` of a flow run.
    """
    # Loading `SetupCellRunner` requires this package; content without setup cells does not.
    prepared: list[object] = [_InstallModules(carrier), *([SetupCellRunner()] if list_setup_cells() else [])]
    return _copy_to_main(_unpack_flow), (prepared, carrier.flow, models, main, _copy_to_main(_build_schemas))


def _copy_to_main(function: Callable[..., Any]) -> types.FunctionType:
    """Copy a function into `__main__`, so that cloudpickle pickles it by value."""
    assert isinstance(function, types.FunctionType)
    copy = types.FunctionType(function.__code__, {"__builtins__": __builtins__}, function.__name__)
    copy.__module__ = "__main__"
    return copy


def _unpack_flow(
    prepared: list[object],
    flow: object,
    models: list[Any],
    main: list[Any],
    build_schemas: Callable[[list[Any]], None],
) -> object:
    import os

    build_schemas(models)
    if os.environ.get("SATFLOW_RUN_FOLDER"):
        from satflow_ext.main_module import add_definitions

        add_definitions(main)
    return flow


def _install_modules(sources: dict[str, str], modules: dict[str, types.ModuleType]) -> None:
    import atexit
    import os
    import shutil
    import sys
    import tempfile

    run_folder = os.environ.get("SATFLOW_RUN_FOLDER")
    if run_folder:
        from satflow_ext.main_module import create_main_module

        create_main_module(run_folder)
    if not sources:
        return
    folder = tempfile.mkdtemp(prefix="satflow-modules-", dir=run_folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for path, text in sources.items():
        place = os.path.join(folder, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as file:
            file.write(text)
    for name, module in modules.items():
        if hasattr(module, "__path__"):  # submodules that are not imported yet are found in the folder
            module.__path__ = [os.path.join(folder, *name.split("."))]
        sys.modules[name] = module
    sys.path.append(folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), folder]))


def _build_schemas(models: list[Any]) -> None:
    """Build the schemas of pydantic models and dataclasses, which all have their fields now.

    Until then each class has an empty schema that counts as complete: the first model to be built would use it for the models
    of its fields. A class whose annotations are not defined stays incomplete, as in the notebook.
    """
    names = {}
    for model in models:
        names[model] = dict(vars(model)["_satflow_names"])
        built = ("__pydantic_core_schema__", "__pydantic_validator__", "__pydantic_serializer__")
        for name in ("_satflow_names", *(each for each in built if each in vars(model))):
            delattr(model, name)
        model.__pydantic_complete__ = False
    for model in models:
        if hasattr(model, "model_rebuild"):
            model.model_rebuild(force=True, raise_errors=False, _types_namespace=names[model])
        else:
            from pydantic.dataclasses import rebuild_dataclass

            rebuild_dataclass(model, force=True, raise_errors=False, _types_namespace=names[model])


def _reached_imports(everything: Iterable[ReachedObject]) -> set[str]:
    """Return the top-level modules that reached functions import while they run."""
    names: set[str] = set()
    for reached in everything:
        if reached.view.kind == "function" and isinstance(reached.value, types.FunctionType):
            package = str(reached.value.__globals__.get("__package__") or "").partition(".")[0]
            imports = imported_names(reached.value.__code__)
            names |= {package if level else name.partition(".")[0] for name, level in imports}
        elif isinstance(reached.value, types.CodeType) and reached.value.co_name == "<module>":  # a setup cell
            names |= {name.partition(".")[0] for name, level in imported_names(reached.value) if not level}
    return names - {""}


def _source_imports(text: str) -> Iterator[str]:
    """Yield the top-level modules that a source imports from outside its own package."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # such as a template, which is never imported
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _source_files(name: str) -> Sources:
    """Return the source files of a top-level module or package; empty if it is not local. Imports nothing."""
    spec = _find_spec(name)
    if spec is None:
        return {}
    if spec.submodule_search_locations is None:
        files = {f"{name}.py": Path(spec.origin)} if spec.origin and spec.origin.endswith(".py") else {}
    else:
        files = {
            f"{name}/{file.relative_to(folder).as_posix()}": file
            for folder in map(Path, reversed(list(spec.submodule_search_locations)))  # the first folder wins
            for file in sorted(folder.rglob("*.py"))
        }
    texts = {place: _source_text(file) for place, file in files.items() if is_local_path(str(file))}
    return {place: text for place, text in texts.items() if text is not None}


def _source_text(file: Path) -> str | None:
    """Read a source and declare it as UTF-8, the encoding in which the flow run writes it; None if it cannot be decoded."""
    try:
        text = importlib.util.decode_source(file.read_bytes())
    except (SyntaxError, UnicodeDecodeError):
        return None
    lines = text.split("\n", 2)
    lines[:2] = [ENCODING_PATTERN.sub(r"\g<1>utf-8", line) for line in lines[:2]]
    return "\n".join(lines)


def _find_spec(name: str) -> importlib.machinery.ModuleSpec | None:
    if name in sys.stdlib_module_names:
        return None
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
