"""Conversion of the arguments of `dask_saturn.SaturnCluster` to an executor.

The arguments are those of dask-saturn 0.4.4. As in dask-saturn, None means "not given"; unlike there, no argument is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

from satflow_ext.errors import InvalidExecutorOption
from satflow_ext.models import ExecutorChoice, JsonObject

Plain = bool | int | float | str
CLUSTER = "dask_cluster_kwargs"
ADAPT = "dask_adapt_kwargs"
NAMES = {"n_workers": "n_workers", "nthreads": "threads_per_worker", "worker_size": "worker_size"}
"""Argument → option of the executor `dask-local`."""
STAYS = ("autoclose", "shutdown_on_close")
"""Arguments that, if False, keep the cluster after the flow run: a shared cluster of the deployment, on a Dask Gateway."""
BOUNDS = ("minimum", "maximum")


class _Gone(NamedTuple):
    """An argument that cannot be applied: the values that change nothing, why other values are refused, and the fix."""

    harmless: tuple[object, ...]
    reason: str
    fix: str


ADDRESS = 'satflow_ext.register(flow, executor="dask-address", address="tcp://…")'
_LOCAL = "the cluster runs on the machine of the flow run"
GONE = {
    "worker_is_spot": _Gone((False,), _LOCAL, "Leave it out."),
    "scheduler_size": _Gone((), "the scheduler is part of the flow run and has no separate size", "Leave it out."),
    "nprocs": _Gone((1,), "a Dask worker is one process", "Leave it out, and multiply n_workers by it."),
    "scheduler_service_wait_timeout": _Gone((), f"{_LOCAL}, and starts in seconds", "Leave it out."),
    "cluster_url": _Gone((), "an existing cluster is identified by its address", f"Register with {ADDRESS}."),
    "external_connection": _Gone((False,), _LOCAL, f"For a cluster elsewhere, register with {ADDRESS}."),
}


def executor(cluster: Mapping[str, object] | None, adapt: Mapping[str, object] | None) -> ExecutorChoice:
    """Convert the two dictionaries of `register_flow_with_saturn` to an executor.

    Raises:
        InvalidExecutorOption: an argument is unknown, cannot be applied, or contradicts another.
    """
    bounds = _bounds(adapt)
    if cluster is None and bounds is None:
        return ExecutorChoice(name="threads")
    if cluster is None:
        raise InvalidExecutorOption(
            f"{ADAPT} is given without {CLUSTER}, so there is no cluster to scale.",
            fix=f"Leave it out, or give {CLUSTER}={{}} as well.",
            field=ADAPT,
        )
    given = _given(cluster, CLUSTER)
    stays = _stays(given)
    options = _sized(_options(given), bounds)
    if stays or "maximum" in options:
        return _on_a_gateway(options, stays=stays)
    return ExecutorChoice(name="dask-local", options=options)


def _bounds(adapt: Mapping[str, object] | None) -> tuple[Plain, Plain] | None:
    """Return the minimum and maximum number of workers; None if there are no bounds."""
    bounds = _given(adapt or {}, ADAPT)
    for name in bounds:
        if name not in BOUNDS:
            raise _unknown(name, ADAPT, BOUNDS)
    if not bounds:
        return None
    for name in BOUNDS:
        if name not in bounds:
            raise InvalidExecutorOption(f"{ADAPT} has no {name}.", fix="Give both, or leave it out.", field=ADAPT)
    return bounds["minimum"], bounds["maximum"]


def _stays(given: dict[str, Plain]) -> bool:
    """Return whether the cluster outlives the flow run, and remove the arguments that decide it."""
    said = {given.pop(name) for name in STAYS if name in given}
    if not said <= {True, False} or len(said) > 1:
        told = f"{' and '.join(STAYS)} in {CLUSTER} are {' and '.join(map(repr, sorted(said, key=str)))}."
        raise InvalidExecutorOption(told, fix="Give one of them, True or False.", field=f"{CLUSTER}.{STAYS[0]}")
    return said == {False}


def _sized(options: JsonObject, bounds: tuple[Plain, Plain] | None) -> JsonObject:
    """Return the options with the number of workers from the bounds; equal bounds are a fixed number."""
    if bounds is None:
        return options
    minimum, maximum = bounds
    fixed = {"n_workers": minimum} if minimum == maximum else {}
    if options.get("n_workers", minimum) != minimum or (not fixed and "n_workers" in options):
        many = minimum if fixed else f"{minimum} to {maximum}"
        raise InvalidExecutorOption(
            f"{CLUSTER} asks for {options['n_workers']} workers and {ADAPT} for {many}.",
            fix=f"Give it once, as n_workers in {CLUSTER} or in {ADAPT}, and leave the other out.",
            field=ADAPT,
        )
    return {**options, **(fixed or {"minimum": minimum, "maximum": maximum})}


def _on_a_gateway(options: JsonObject, *, stays: bool) -> ExecutorChoice:
    """Return the executor for a cluster on a Dask Gateway: one that scales with the work, or a shared one."""
    if "threads_per_worker" in options:
        raise InvalidExecutorOption(
            f"nthreads in {CLUSTER} cannot be applied: a Dask Gateway's worker has as many threads as its size has cores.",
            fix="Leave it out, and choose a worker_size.",
            field=f"{CLUSTER}.nthreads",
        )
    return ExecutorChoice(name="dask-cluster", options={**options, "share": "deployment" if stays else "run"})


def _options(given: dict[str, Plain]) -> JsonObject:
    """Convert the arguments to options of `dask-local`."""
    for name, value in given.items():
        if name not in NAMES and name not in GONE:
            raise _unknown(name, CLUSTER, tuple(NAMES))
        if name in GONE and value not in GONE[name].harmless:
            message = f"{name} in {CLUSTER} cannot be applied: {GONE[name].reason}."
            raise InvalidExecutorOption(message, fix=GONE[name].fix, field=f"{CLUSTER}.{name}")
    return {NAMES[name]: value for name, value in given.items() if name in NAMES}


def _given(arguments: Mapping[str, object], where: str) -> dict[str, Plain]:
    """Return the arguments that are not None."""
    if not isinstance(arguments, Mapping):
        kind = type(arguments).__qualname__
        raise InvalidExecutorOption(f"{where} is a {kind}.", fix="Give a dictionary.", field=where)
    return {name: _plain(value, f"{where}.{name}") for name, value in arguments.items() if value is not None}


def _plain(value: object, field: str) -> Plain:
    if isinstance(value, Plain):
        return value
    kind = type(value).__qualname__
    raise InvalidExecutorOption(f"{field} is a {kind}.", fix="Give a plain number or text.", field=field)


def _unknown(name: str, where: str, known: tuple[str, ...]) -> InvalidExecutorOption:
    near = get_close_matches(name, known, n=1)
    fix = f"Did you mean {near[0]!r}?" if near else f"It takes {', '.join(known)}."
    return InvalidExecutorOption(f"{where} has no argument {name!r}.", fix=fix, field=f"{where}.{name}")
