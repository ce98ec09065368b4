"""Which modules are the user's own: those travel by value, installed ones by name.

A module is local when it is Python source outside the standard library and outside every site-packages folder. An editable
install is local too: its source is not what another machine would install.
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
"""What every flow run has installed, however it was installed here; and the notebook itself."""


def is_local(module: ModuleType) -> bool:
    """Whether the module is the user's own and has to travel with the flow."""
    name = getattr(module, "__name__", None)
    if not isinstance(name, str) or name.partition(".")[0] in NEVER_LOCAL:
        return False
    return lies_local(_place(module))


def is_local_name(name: str | None) -> bool:
    """The same for the name of an imported module."""
    module = sys.modules.get(name) if name else None
    return module is not None and is_local(module)


def local_modules() -> list[ModuleType]:
    """Every local module imported now."""
    return [module for module in list(sys.modules.values()) if isinstance(module, ModuleType) and is_local(module)]


@contextmanager
def by_value() -> Iterator[None]:
    """Make cloudpickle take local modules by value for the duration, and what they are rebuilt with."""
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


def _place(module: ModuleType) -> str | None:
    """The module's source file, or the first folder of a namespace package."""
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return file if file.endswith((".py", ".pyc")) else None
    spec = getattr(module, "__spec__", None)
    folders = list(getattr(spec, "submodule_search_locations", None) or ())
    return folders[0] if folders and isinstance(folders[0], str) else None


@cache
def lies_local(place: str | None) -> bool:
    """Whether a path is outside of the standard library and of every site-packages folder."""
    if place is None or re.search(r"[\\/](site|dist)-packages([\\/]|$)", place):
        return False
    real = os.path.realpath(place)
    return not any(real.startswith(folder) or place.startswith(folder) for folder in _installed_folders())


@cache
def _installed_folders() -> tuple[str, ...]:
    """Standard library and site-packages, resolved, each with its closing separator.

    `sys.prefix` itself does not count: people keep their notebooks beside their virtual environment.
    """
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    return tuple({os.path.join(os.path.realpath(folder), "") for folder in folders if folder})
