"""Small locks."""

from __future__ import annotations

import importlib.util
import platform

from satflow_ext.models import Distribution, Environment, Origin, PackedFlow

NO_FILES = "sha256:" + "0" * 64


OTHER = "0.12.1"
"""A version of toolz that is not the one installed here, and that the index has."""


def changed(packed: PackedFlow, name: str, **changes: object) -> PackedFlow:
    """The packed flow as if another distribution had been installed where it was packed."""
    locked = packed.environment
    assert name in locked.packages
    others = tuple(each.model_copy(update=changes) if each.name == name else each for each in locked.distributions)
    return packed.model_copy(update={"environment": locked.model_copy(update={"distributions": others})})


def origin(url: str, **said: object) -> Origin:
    """An origin with what was said of it."""
    nothing = {"vcs": None, "commit": None, "subdirectory": None, "sha256": None, "editable": False}
    return Origin.model_validate({"url": url, **nothing, **said})


def distribution(name: str, version: str = "1", where: Origin | None = None) -> Distribution:
    """A distribution, from an index unless said otherwise."""
    return Distribution(name=name, version=version, files=NO_FILES, origin=where)


def lock(*distributions: Distribution, python: str = platform.python_version()) -> Environment:
    """An environment of this interpreter's kind."""
    return Environment(
        python=python,
        implementation=platform.python_implementation(),
        magic=importlib.util.MAGIC_NUMBER.hex(),
        executable="python",
        distributions=distributions,
    )
