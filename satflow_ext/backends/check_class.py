"""`python -m satflow_ext.backends.check_class module:Class NAME…`: check that a class exists and accepts these arguments.

The check runs in a separate process with the interpreter of the flow runs, because importing a third-party class may
have any side effect.
"""

from __future__ import annotations

import sys
from typing import Literal

from pydantic import BaseModel, ConfigDict

from satflow_ext.backends import signature


class Look(BaseModel):
    """The result of a check. `said` has the reason why a class is missing, or the names of the arguments that do not fit."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["fits", "missing", "unknown", "required"]
    said: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


def look(path: str, names: list[str]) -> Look:
    """Import the class and compare its keyword arguments with these names."""
    try:
        takes = signature.parameters(signature.imported(path))
    except Exception as error:  # process boundary: a third-party module may raise anything
        return Look(outcome="missing", said=(f"{type(error).__name__}: {error}",))
    known = tuple(takes.named)
    if unknown := takes.unknown(names):
        return Look(outcome="unknown", said=tuple(unknown), known=known)
    lacking = [name for name in takes.required if name not in names and name != "n_workers"]
    return Look(outcome="required", said=tuple(lacking), known=known) if lacking else Look(outcome="fits", known=known)


if __name__ == "__main__":
    sys.stdout.write(f"\n{look(sys.argv[1], sys.argv[2:]).model_dump_json()}\n")
