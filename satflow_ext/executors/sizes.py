"""Worker sizes: names for cores, memory and GPUs of one Dask worker, and what a machine can give of them."""

from __future__ import annotations

from satflow_ext.errors import SizeRefused, UnknownWorkerSize
from satflow_ext.executors.machine_size import Machine
from satflow_ext.models import WorkerSize
from satflow_ext.settings import GIB, Settings, SizeSettings


def sizes_on(machine: Machine | None, settings: Settings) -> tuple[WorkerSize, ...]:
    """Every worker size, and whether one such worker fits on a machine; None: on one that is not known here."""
    return tuple(_size(name, size, machine) for name, size in settings.worker_sizes.items())


def named(name: str, settings: Settings) -> SizeSettings:
    """The size of that name.

    Raises:
        UnknownWorkerSize: no size has it.
    """
    if name not in settings.worker_sizes:
        known = ", ".join(settings.worker_sizes)
        raise UnknownWorkerSize(
            f"No worker size is called {name!r}.", fix=f"Choose one of {known}.", field="executor.options.worker_size"
        )
    return settings.worker_sizes[name]


def bytes_of(size: SizeSettings) -> int:
    """Memory of one worker of that size, in bytes."""
    return int(size.memory * GIB)


def refuse_unless_fits(name: str, count: int, settings: Settings, machine: Machine) -> None:
    """Compare what `count` workers of a size need with what the machine has.

    Memory and GPUs are compared: a Dask worker's threads are slots for tasks, not a claim on cores.

    Raises:
        SizeRefused: they need more; the message has the numbers.
    """
    size = named(name, settings)
    _refuse_without_gpus(name, size.gpus, count, machine)
    each = bytes_of(size)
    if each * count <= machine.memory:
        return
    raise SizeRefused(
        f"{count} {'worker' if count == 1 else 'workers'} of size {name!r} need {_gib(each * count)} GiB of memory; "
        f"this machine has {_gib(machine.memory)} GiB.",
        fix=_advice(each, settings, machine),
        field="executor.options.worker_size",
    )


def _refuse_without_gpus(name: str, gpus: int, count: int, machine: Machine) -> None:
    if gpus > machine.gpus:
        raise SizeRefused(
            f"A worker of size {name!r} needs {_number(gpus)}; this machine has {machine.gpus or 'none'}.",
            fix="Choose a size without GPUs.",
            field="executor.options.worker_size",
        )
    if gpus and count > 1:
        raise SizeRefused(
            f"{count} workers of size {name!r} would all have the same GPUs: on one machine Dask does not share them out.",
            fix="Take one worker, or a size without GPUs.",
            field="executor.options.worker_size",
        )


def _number(gpus: int) -> str:
    return "1 GPU" if gpus == 1 else f"{gpus} GPUs"


def _advice(each: int, settings: Settings, machine: Machine) -> str:
    possible = machine.memory // each
    if possible:
        return f"Take at most {possible} of that size, or a smaller size."
    fitting = [size.name for size in sizes_on(machine, settings) if size.available]
    return f"Choose one of {', '.join(fitting)}." if fitting else "Give no worker size, to share what there is."


def _size(name: str, size: SizeSettings, machine: Machine | None) -> WorkerSize:
    reason = _too_big(size, machine) if machine else None
    return WorkerSize(
        name=name, cores=size.cores, memory=bytes_of(size), gpus=size.gpus, available=reason is None, reason=reason
    )


def _too_big(size: SizeSettings, machine: Machine) -> str | None:
    if bytes_of(size) > machine.memory:
        return f"needs {_gib(bytes_of(size))} GiB; this machine has {_gib(machine.memory)} GiB"
    if size.gpus > machine.gpus:
        return f"needs {_number(size.gpus)}; this machine has {machine.gpus or 'none'}"
    return None


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}".removesuffix(".0")
