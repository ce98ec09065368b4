"""Worker sizes: names for cores, memory and GPUs of one Dask worker, and their availability on a machine."""

from __future__ import annotations

from satflow_ext.errors import SizeRefused, UnknownWorkerSize
from satflow_ext.executors.machine_size import Machine
from satflow_ext.models import WorkerSize
from satflow_ext.settings import GIB, Settings, SizeSettings


def list_sizes(machine: Machine | None, settings: Settings) -> tuple[WorkerSize, ...]:
    """List all worker sizes, and whether one such worker fits on a machine; None for an unknown machine."""
    return tuple(_to_worker_size(name, size, machine) for name, size in settings.worker_sizes.items())


def find_size(name: str, settings: Settings) -> SizeSettings:
    """Return the size with this name.

    Raises:
        UnknownWorkerSize: no size has this name.
    """
    if name not in settings.worker_sizes:
        known = ", ".join(settings.worker_sizes)
        raise UnknownWorkerSize(
            f"No worker size is called {name!r}.", fix=f"Choose one of {known}.", field="executor.options.worker_size"
        )
    return settings.worker_sizes[name]


def memory_bytes(size: SizeSettings) -> int:
    """Return the memory of one worker of this size in bytes."""
    return int(size.memory * GIB)


def check_fits(name: str, count: int, settings: Settings, machine: Machine) -> None:
    """Check that `count` workers of a size fit on the machine.

    Only memory and GPUs are compared: a Dask worker's threads are task slots and do not reserve cores.

    Raises:
        SizeRefused: the workers need more than the machine has; the message has the numbers.
    """
    size = find_size(name, settings)
    _check_gpus(name, size.gpus, count, machine)
    each = memory_bytes(size)
    if each * count <= machine.memory:
        return
    raise SizeRefused(
        f"{count} {'worker' if count == 1 else 'workers'} of size {name!r} need {_format_gib(each * count)} GiB of memory; "
        f"this machine has {_format_gib(machine.memory)} GiB.",
        fix=_suggest_size(each, settings, machine),
        field="executor.options.worker_size",
    )


def _check_gpus(name: str, gpus: int, count: int, machine: Machine) -> None:
    if gpus > machine.gpus:
        raise SizeRefused(
            f"A worker of size {name!r} needs {_format_gpus(gpus)}; this machine has {machine.gpus or 'none'}.",
            fix="Choose a size without GPUs.",
            field="executor.options.worker_size",
        )
    if gpus and count > 1:
        raise SizeRefused(
            f"{count} workers of size {name!r} would all use the same GPUs: Dask does not divide the GPUs of one machine.",
            fix="Choose one worker, or a size without GPUs.",
            field="executor.options.worker_size",
        )


def _format_gpus(gpus: int) -> str:
    return "1 GPU" if gpus == 1 else f"{gpus} GPUs"


def _suggest_size(each: int, settings: Settings, machine: Machine) -> str:
    possible = machine.memory // each
    if possible:
        return f"Choose at most {possible} of this size, or a smaller size."
    fitting = [size.name for size in list_sizes(machine, settings) if size.available]
    return (
        f"Choose one of {', '.join(fitting)}." if fitting else "Choose no worker size, to share the machine's memory."
    )


def _to_worker_size(name: str, size: SizeSettings, machine: Machine | None) -> WorkerSize:
    reason = _unavailable_reason(size, machine) if machine else None
    return WorkerSize(
        name=name, cores=size.cores, memory=memory_bytes(size), gpus=size.gpus, available=reason is None, reason=reason
    )


def _unavailable_reason(size: SizeSettings, machine: Machine) -> str | None:
    if memory_bytes(size) > machine.memory:
        return f"needs {_format_gib(memory_bytes(size))} GiB; this machine has {_format_gib(machine.memory)} GiB"
    if size.gpus > machine.gpus:
        return f"needs {_format_gpus(size.gpus)}; this machine has {machine.gpus or 'none'}"
    return None


def _format_gib(size: int) -> str:
    return f"{size / GIB:.1f}".removesuffix(".0")
