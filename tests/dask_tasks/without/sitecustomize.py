"""Makes a Python process one that does not have SatFlow."""

import importlib.metadata
import sys

version = importlib.metadata.version


def version_without(name):
    if name == "satflow-ext":
        raise importlib.metadata.PackageNotFoundError(name)
    return version(name)


class Nothing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "satflow_ext":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


importlib.metadata.version = version_without
sys.meta_path.insert(0, Nothing)
