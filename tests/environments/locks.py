"""Small locks."""

from __future__ import annotations

import importlib.util
import platform

from satflow_ext.models import Distribution, Environment, Origin

NO_FILES = "sha256:" + "0" * 64


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
