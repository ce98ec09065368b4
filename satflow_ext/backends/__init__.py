"""What gives the executor `dask-cluster` its clusters, other than a Dask Gateway: one record each, and any class by its name.

Adding one is one module with one record, its place in `KINDS`, and its test.
"""

from __future__ import annotations

from difflib import get_close_matches

from satflow_ext.backends.any_class import CLASS_PATH, of_class
from satflow_ext.backends.base import BACKEND_FIELD, OPTIONS_FIELD, Asked, BackEnd
from satflow_ext.backends.kubernetes import KUBERNETES
from satflow_ext.backends.slurm import SLURM
from satflow_ext.backends.ssh import SSH
from satflow_ext.credentials.shapes import first_credential
from satflow_ext.errors import InvalidExecutorOption, SizeRefused, UnknownBackEnd

__all__ = ["GATEWAY", "NAMES", "Asked", "BackEnd", "named", "refuse"]

GATEWAY = "gateway"
"""The one that owns its clusters, so that runs can share them; it is reached by `satflow_ext.gateways`."""

KINDS: tuple[BackEnd, ...] = (SLURM, SSH, KUBERNETES)
NAMES = (GATEWAY, *(each.name for each in KINDS))


def named(name: str) -> BackEnd:
    """The back end of that name, or the one of a class, written as `module:Class`.

    Raises:
        UnknownBackEnd: there is none.
    """
    for each in KINDS:
        if each.name == name:
            return each
    if CLASS_PATH.fullmatch(name):
        return of_class(name)
    near = get_close_matches(name, NAMES, n=1)
    raise UnknownBackEnd(
        f"No back end is called {name!r}.",
        fix=f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(NAMES)}, or a class as module:Class.",
        field=BACKEND_FIELD,
    )


def refuse(asked: Asked) -> None:
    """Refuse what the back end takes nowhere.

    Raises:
        UnknownBackEnd: there is none of that name.
        InvalidExecutorOption: one of its options is for SatFlow to set.
        SizeRefused: it takes no worker sizes.
    """
    back_end = named(asked.backend)
    for name in sorted(back_end.owned.keys() & asked.options.keys()):
        instead = back_end.owned[name]
        raise InvalidExecutorOption(
            f"SatFlow sets {name!r} of {asked.backend} itself.",
            fix=f"Say {instead}, an option of the executor." if instead else "Leave it out.",
            field=OPTIONS_FIELD,
        )
    if found := first_credential(asked.options):
        path, what = found
        raise InvalidExecutorOption(
            f"{'.'.join(path)} looks like {what}, and a version would keep it.",
            fix="Put it where the class looks for it: into the environment of runs (docs/secrets.md).",
            field=OPTIONS_FIELD,
        )
    back_end.refuse(asked)
    if asked.size is not None and not back_end.sizes:
        raise SizeRefused(
            f"How big a Dask worker is, {asked.backend} is told in words of its own.",
            fix="Choose no worker size, and say it in backend_options.",
            field="executor.options.worker_size",
        )
