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
CLUSTER_ARGUMENT = "dask_cluster_kwargs"
ADAPT_ARGUMENT = "dask_adapt_kwargs"
OPTION_NAMES = {"n_workers": "n_workers", "nthreads": "threads_per_worker", "worker_size": "worker_size"}
"""Argument → option of the executor `dask-local`."""
OUTLIVING_ARGUMENTS = ("autoclose", "shutdown_on_close")
"""Arguments that, if False, keep the cluster after the flow run: a shared cluster of the deployment, on a Dask Gateway."""
BOUND_NAMES = ("minimum", "maximum")


class _Unsupported(NamedTuple):
    """An argument that cannot be applied: the values that change nothing, why other values are refused, and the fix."""

    accepted: tuple[object, ...]
    reason: str
    fix: str


ADDRESS_EXAMPLE = 'satflow_ext.register(flow, executor="dask-address", address="tcp://…")'
_LOCAL_REASON = "the cluster runs on the machine of the flow run"
UNSUPPORTED = {
    "worker_is_spot": _Unsupported((False,), _LOCAL_REASON, "Leave it out."),
    "scheduler_size": _Unsupported(
        (), "the scheduler is part of the flow run and has no separate size", "Leave it out."
    ),
    "nprocs": _Unsupported((1,), "a Dask worker is one process", "Leave it out, and multiply n_workers by it."),
    "scheduler_service_wait_timeout": _Unsupported((), f"{_LOCAL_REASON}, and starts in seconds", "Leave it out."),
    "cluster_url": _Unsupported(
        (), "an existing cluster is identified by its address", f"Register with {ADDRESS_EXAMPLE}."
    ),
    "external_connection": _Unsupported(
        (False,), _LOCAL_REASON, f"For a cluster elsewhere, register with {ADDRESS_EXAMPLE}."
    ),
}


def convert_executor(cluster: Mapping[str, object] | None, adapt: Mapping[str, object] | None) -> ExecutorChoice:
    """Convert the two dictionaries of `register_flow_with_saturn` to an executor.

    Raises:
        InvalidExecutorOption: an argument is unknown, cannot be applied, or contradicts another.
    """
    bounds = _read_bounds(adapt)
    if cluster is None and bounds is None:
        return ExecutorChoice(name="threads")
    if cluster is None:
        raise InvalidExecutorOption(
            f"{ADAPT_ARGUMENT} is given without {CLUSTER_ARGUMENT}, so there is no cluster to scale.",
            fix=f"Leave it out, or give {CLUSTER_ARGUMENT}={{}} as well.",
            field=ADAPT_ARGUMENT,
        )
    given = _given_arguments(cluster, CLUSTER_ARGUMENT)
    stays = _pop_outlives_run(given)
    options = _add_worker_count(_convert_options(given), bounds)
    if stays or "maximum" in options:
        return _gateway_executor(options, stays=stays)
    return ExecutorChoice(name="dask-local", options=options)


def _read_bounds(adapt: Mapping[str, object] | None) -> tuple[Plain, Plain] | None:
    """Return the minimum and maximum number of workers; None if there are no bounds."""
    bounds = _given_arguments(adapt or {}, ADAPT_ARGUMENT)
    for name in bounds:
        if name not in BOUND_NAMES:
            raise _unknown_argument(name, ADAPT_ARGUMENT, BOUND_NAMES)
    if not bounds:
        return None
    for name in BOUND_NAMES:
        if name not in bounds:
            raise InvalidExecutorOption(
                f"{ADAPT_ARGUMENT} has no {name}.", fix="Give both, or leave it out.", field=ADAPT_ARGUMENT
            )
    return bounds["minimum"], bounds["maximum"]


def _pop_outlives_run(given: dict[str, Plain]) -> bool:
    """Return whether the cluster outlives the flow run, and remove the arguments that decide it."""
    values = {given.pop(name) for name in OUTLIVING_ARGUMENTS if name in given}
    if not values <= {True, False} or len(values) > 1:
        listed = " and ".join(map(repr, sorted(values, key=str)))
        message = f"{' and '.join(OUTLIVING_ARGUMENTS)} in {CLUSTER_ARGUMENT} are {listed}."
        raise InvalidExecutorOption(
            message, fix="Give one of them, True or False.", field=f"{CLUSTER_ARGUMENT}.{OUTLIVING_ARGUMENTS[0]}"
        )
    return values == {False}


def _add_worker_count(options: JsonObject, bounds: tuple[Plain, Plain] | None) -> JsonObject:
    """Return the options with the number of workers from the bounds; equal bounds are a fixed number."""
    if bounds is None:
        return options
    minimum, maximum = bounds
    fixed = {"n_workers": minimum} if minimum == maximum else {}
    if options.get("n_workers", minimum) != minimum or (not fixed and "n_workers" in options):
        many = minimum if fixed else f"{minimum} to {maximum}"
        raise InvalidExecutorOption(
            f"{CLUSTER_ARGUMENT} asks for {options['n_workers']} workers and {ADAPT_ARGUMENT} for {many}.",
            fix=f"Give it once, as n_workers in {CLUSTER_ARGUMENT} or in {ADAPT_ARGUMENT}, and leave the other out.",
            field=ADAPT_ARGUMENT,
        )
    return {**options, **(fixed or {"minimum": minimum, "maximum": maximum})}


def _gateway_executor(options: JsonObject, *, stays: bool) -> ExecutorChoice:
    """Return the executor for a cluster on a Dask Gateway: one that scales with the work, or a shared one."""
    if "threads_per_worker" in options:
        raise InvalidExecutorOption(
            f"nthreads in {CLUSTER_ARGUMENT} cannot be applied: a worker of a Dask Gateway has one thread per core of its size.",
            fix="Leave it out, and choose a worker_size.",
            field=f"{CLUSTER_ARGUMENT}.nthreads",
        )
    return ExecutorChoice(name="dask-cluster", options={**options, "share": "deployment" if stays else "run"})


def _convert_options(given: dict[str, Plain]) -> JsonObject:
    """Convert the arguments to options of `dask-local`."""
    for name, value in given.items():
        if name not in OPTION_NAMES and name not in UNSUPPORTED:
            raise _unknown_argument(name, CLUSTER_ARGUMENT, tuple(OPTION_NAMES))
        if name in UNSUPPORTED and value not in UNSUPPORTED[name].accepted:
            message = f"{name} in {CLUSTER_ARGUMENT} cannot be applied: {UNSUPPORTED[name].reason}."
            raise InvalidExecutorOption(message, fix=UNSUPPORTED[name].fix, field=f"{CLUSTER_ARGUMENT}.{name}")
    return {OPTION_NAMES[name]: value for name, value in given.items() if name in OPTION_NAMES}


def _given_arguments(arguments: Mapping[str, object], where: str) -> dict[str, Plain]:
    """Return the arguments that are not None."""
    if not isinstance(arguments, Mapping):
        kind = type(arguments).__qualname__
        raise InvalidExecutorOption(f"{where} is a {kind}.", fix="Give a dictionary.", field=where)
    return {name: _check_plain(value, f"{where}.{name}") for name, value in arguments.items() if value is not None}


def _check_plain(value: object, field: str) -> Plain:
    if isinstance(value, Plain):
        return value
    kind = type(value).__qualname__
    raise InvalidExecutorOption(f"{field} is a {kind}.", fix="Give a plain number or text.", field=field)


def _unknown_argument(name: str, where: str, known: tuple[str, ...]) -> InvalidExecutorOption:
    near = get_close_matches(name, known, n=1)
    fix = f"Did you mean {near[0]!r}?" if near else f"It takes {', '.join(known)}."
    return InvalidExecutorOption(f"{where} has no argument {name!r}.", fix=fix, field=f"{where}.{name}")
