"""`python -m satflow_ext.cluster_providers.check_class module:Class NAME…`: check a class and its arguments.

The check runs in a separate process with the interpreter of the flow runs, because importing a third-party class may
have any side effect.
"""

from __future__ import annotations

import sys

from satflow_ext.cluster_providers import signature
from satflow_ext.cluster_providers.signature import ClassCheck


def check_class(path: str, names: list[str]) -> ClassCheck:
    """Import the class and compare its keyword arguments with these names."""
    try:
        parameters = signature.read_parameters(signature.import_class(path))
    except Exception as error:  # process boundary: a third-party module may raise anything
        return ClassCheck(outcome="missing", details=(f"{type(error).__name__}: {error}",))
    known = tuple(parameters.named)
    if unknown := parameters.unknown_names(names):
        return ClassCheck(outcome="unknown", details=tuple(unknown), accepted=known)
    lacking = [name for name in parameters.required if name not in names and name != "n_workers"]
    return (
        ClassCheck(outcome="required", details=tuple(lacking), accepted=known)
        if lacking
        else ClassCheck(outcome="fits", accepted=known)
    )


if __name__ == "__main__":
    sys.stdout.write(f"\n{check_class(sys.argv[1], sys.argv[2:]).model_dump_json()}\n")
