"""Detection of the user's own modules, which are pickled by value; installed modules are pickled by name.

A module is local when it is Python source outside the standard library and outside every site-packages folder. An editable
install is local too: another machine would not install the same source.
"""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType

NEVER_LOCAL = frozenset({"satflow_ext", "prefect", "cloudpickle", "distributed", "dask", "__main__", "__mp_main__"})
"""Modules that every flow run has installed, even if they are editable installs here, and the notebook itself."""


def is_local(module: ModuleType) -> bool:
    """Return whether a module is the user's own and must be packed with the flow."""
    name = getattr(module, "__name__", None)
    if not isinstance(name, str) or name.partition(".")[0] in NEVER_LOCAL:
        return False
    return is_local_path(_module_path(module))


def is_local_name(name: str | None) -> bool:
    """Return whether a name is that of an imported local module."""
    module = sys.modules.get(name) if name else None
    return module is not None and is_local(module)


def local_modules() -> list[ModuleType]:
    """Return all local modules that are imported now."""
    return [module for module in list(sys.modules.values()) if isinstance(module, ModuleType) and is_local(module)]


@contextmanager
def pickle_local_by_value() -> Iterator[None]:
    """Make cloudpickle pickle local modules, and the code that rebuilds them, by value for the duration."""
    import cloudpickle

    from satflow_ext.kernel import descriptors, local_module_pickling, validated_calls

    already = cloudpickle.list_registry_pickle_by_value()
    registered: list[ModuleType] = []
    try:
        for module in (local_module_pickling, descriptors, validated_calls, *local_modules()):
            if module.__name__ not in already and sys.modules.get(module.__name__) is module:
                cloudpickle.register_pickle_by_value(module)
                registered.append(module)
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def _module_path(module: ModuleType) -> str | None:
    """Return the module's source file, or the first folder of a namespace package."""
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return file if file.endswith((".py", ".pyc")) else None
    spec = getattr(module, "__spec__", None)
    folders = list(getattr(spec, "submodule_search_locations", None) or ())
    return folders[0] if folders and isinstance(folders[0], str) else None


@cache
def is_local_path(path: str | None) -> bool:
    """Return whether a path is outside the standard library and every site-packages folder."""
    if path is None or re.search(r"[\\/](site|dist)-packages([\\/]|$)", path):
        return False
    real = os.path.realpath(path)
    return not any(real.startswith(folder) or path.startswith(folder) for folder in _installed_folders())


@cache
def _installed_folders() -> tuple[str, ...]:
    """Return the folders of the standard library and of site-packages, resolved, each with a trailing separator.

    `sys.prefix` itself is not included, since users keep notebooks in the folder of their virtual environment.
    """
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    return tuple({os.path.join(os.path.realpath(folder), "") for folder in folders if folder})
